"""The pages of the documentation: their sections, tables, and the commands in their blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.project_directory import ROOT

DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md"))]

# The commands in blocks of these languages are run: on this machine, or on a cluster.
LOCAL, CLUSTER = "console", "shell-session"

# Not run, because each of these would install housectl again; tests check their arguments instead.
MAKE = re.compile(r"make (\S+)")
INSTALL = re.compile(r"(?:uv tool|pipx|pip) install '(?:housectl|\.)\[([\w,]+)\]'")

_BLOCK = re.compile(r"^```([\w-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"\$ (?P<text>.*?)(?:\s+# status (?P<status>\d+).*)?")
_HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
_NUMBER = re.compile(r"\b[0-9a-f]{12,}\b|\d+(?:\.\d+)?(?:e-\d+)?")


@dataclass
class Command:
    """A command on a page, with the output that the page shows below it."""

    text: str
    status: int
    output: list[str]

    @property
    def is_installation(self) -> bool:
        return bool(MAKE.fullmatch(self.text) or INSTALL.fullmatch(self.text))


def page_id(page: Path) -> str:
    return page.name


def blocks(page: Path, language: str) -> list[str]:
    return [text for name, text in _BLOCK.findall(page.read_text()) if name == language]


def commands(page: Path, language: str = LOCAL) -> list[Command]:
    return [command for block in blocks(page, language) for command in _commands_of(block)]


def _commands_of(block: str) -> Iterator[Command]:
    command: Command | None = None
    for line in block.splitlines():
        if match := _COMMAND.fullmatch(line):
            if command:
                yield command
            command = Command(match["text"], int(match["status"] or 0), [])
        elif command:
            command.output.append(line)
    if command:
        yield command


def labels(lines: list[str]) -> set[str]:
    """Return the first column of each line, with its numbers and digests replaced."""
    return {_NUMBER.sub("N", re.split(r" {2,}", line.strip())[0]) for line in lines}


def sections(page: Path) -> dict[str, str]:
    """Return the text of each section by its heading."""
    _, *parts = re.split(r"^## (.*)$", page.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def rows(page: Path, first_column: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this name."""
    lines = page.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first_column} |"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def code_spans(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@cache
def anchors(page: Path) -> frozenset[str]:
    headings = [text for _, text in _HEADING.findall(_BLOCK.sub("", page.read_text()))]
    return frozenset(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings)


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
