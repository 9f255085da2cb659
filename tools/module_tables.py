"""`python -m tools.module_tables`: writes the module tables of docs/architecture.md.

Each line of a table is the first line of a module's docstring, so the code is the only source.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
PACKAGES = (
    ROOT / "src" / "housectl",
    ROOT / "trainer" / "housectl_trainer",
    ROOT / "server" / "housectl_server",
    ROOT / "suggestion" / "housectl_suggestion",
    ROOT / "tools",
    ROOT / "benchmarks",
)

_BEGIN = "<!-- module tables: `python -m tools.module_tables` writes them -->\n"
_END = "<!-- end of the module tables -->\n"


def main() -> None:
    """Replace the tables on the page."""
    PAGE.write_text(with_tables(PAGE.read_text()))


def with_tables(page: str) -> str:
    """Return the page with the tables of all packages between its two marks."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        raise ValueError(f"{PAGE} has no marks around its module tables")
    tables = "\n".join(_tables())
    return f"{before}{begin}\n{tables}\n{end}{after}"


def _tables() -> Iterator[str]:
    for root in PACKAGES:
        for package in sorted({path.parent for path in root.rglob("*.py")}):
            yield _table(package, dotted_name=".".join(package.relative_to(root.parent).parts))


def _table(package: Path, *, dotted_name: str) -> str:
    modules = sorted(path for path in package.glob("*.py") if path.name != "__init__.py")
    lines = [f"### `{dotted_name}`", ""]
    if summary := first_line(package / "__init__.py"):
        lines += [summary, ""]
    if modules:
        lines += ["| module | content |", "| --- | --- |"]
        lines += [f"| `{path.stem}` | {first_line(path)} |" for path in modules]
        lines += [""]
    return "\n".join(lines)


def first_line(module: Path) -> str:
    """Return the first line of a module's docstring; empty if there is none."""
    docstring = ast.get_docstring(ast.parse(module.read_text())) or ""
    return docstring.partition("\n")[0].replace("|", "\\|")


if __name__ == "__main__":
    main()
