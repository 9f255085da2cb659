"""docs/architecture.md describes the code as it is: layers, modules, glossary."""

import ast
import re
from configparser import ConfigParser

import pytest

from tests.docs.pages import DOCS, blocks, code_spans, rows
from tools.module_tables import PACKAGES, PAGE, with_tables
from tools.project_directory import ROOT

ARCHITECTURE = DOCS / "architecture.md"


def test_module_tables_are_those_of_the_code() -> None:
    assert PAGE.read_text() == with_tables(PAGE.read_text()), "python -m tools.module_tables"


def test_module_tables_list_each_module_once() -> None:
    files = {path for root in PACKAGES for path in root.rglob("*.py")}
    modules = [path for path in files if path.name != "__init__.py"]
    _, modules_section = PAGE.read_text().split("## Modules\n")
    listed = re.findall(r"^\| `(\w+)` \| ", modules_section, re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in modules)


def test_drawing_has_the_layers_of_the_import_check() -> None:
    config = ConfigParser()
    config.read(ROOT / ".importlinter")
    layers = config["importlinter:contract:layers"]["layers"].split("\n")
    (drawing,) = [block for block in blocks(ARCHITECTURE, "text") if block.startswith("cli")]
    drawn = [re.split(r" {2,}", line)[0] for line in drawing.splitlines()]
    assert drawn == [layer.strip() for layer in layers if layer.strip()]


@pytest.mark.parametrize("row", rows(ARCHITECTURE, "term"), ids=lambda row: row[0])
def test_glossary_names_existing_classes(row: list[str]) -> None:
    name, module = code_spans(row[2])
    assert name in _definitions(module), row


def test_glossary_has_each_term_once() -> None:
    terms = [term for term, _, _ in rows(ARCHITECTURE, "term")]
    assert len(terms) == len(set(terms))


def _definitions(module: str) -> set[str]:
    """Return the names of the classes and functions of a module, without importing it."""
    path = ROOT.joinpath(*_source_root(module), *module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    body = ast.parse(source.read_text()).body
    return {node.name for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}


def _source_root(module: str) -> tuple[str, ...]:
    package = module.partition(".")[0]
    roots = {"housectl": "src", "housectl_trainer": "trainer", "housectl_server": "server"}
    return (roots[package],) if package in roots else ()
