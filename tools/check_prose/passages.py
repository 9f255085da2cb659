"""The passages of prose in a file: paragraphs, docstrings, comments and messages."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_COMMENT_FILES = {"Makefile", "Dockerfile", ".yaml", ".yml", ".toml", ".sh", ".importlinter", "run"}
_DIRECTIVE = re.compile(r"!|noqa\b|type:|pragma\b|ruff:|mypy:|yaml-language-server:")
_HASH_COMMENT = re.compile(r"(?:^|\s)#{1,2} (.*)")
_FENCE = re.compile(r"\s*(```|~~~)")
_LIST_ITEM = re.compile(r"^\s*(?:(?:[-*+]|\d+\.) |#+ |>)")
_COLUMNS = re.compile(r".*\S {3,}\S")
_CELL_BORDER = re.compile(r"\||\s{3,}")
_TABLE_RULE = re.compile(r"[\s|:-]+")
_ARGUMENT = re.compile(r"^ +\*{0,2}\w+: ", re.MULTILINE)
_MESSAGE_WORDS = 3


class Kind(StrEnum):
    """The place of a passage in a file."""

    PARAGRAPH = "paragraph"
    DOCSTRING = "docstring"
    COMMENT = "comment"
    MESSAGE = "message"


@dataclass(frozen=True)
class Passage:
    """Coherent prose that begins on a line of a file."""

    kind: Kind
    line: int
    text: str


def passages_of(path: Path) -> Iterator[Passage]:
    """Yield the passages of a Python, Markdown, YAML, TOML, shell, make or container file."""
    if extract := _extractor(path):
        yield from extract(path.read_text(encoding="utf-8"))


def is_supported(path: Path) -> bool:
    """Return True if the file's type can be checked."""
    return _extractor(path) is not None


def _extractor(path: Path) -> Callable[[str], Iterator[Passage]] | None:
    if path.suffix == ".py":
        return python_passages
    if path.suffix == ".md":
        return markdown_passages
    if _COMMENT_FILES & {path.suffix, path.name, path.stem}:
        return comment_passages
    return None


def markdown_passages(source: str) -> Iterator[Passage]:
    """Yield paragraphs, headings, list items and table cells; leave out code blocks."""
    block: list[tuple[int, str]] = []
    fenced = False
    for number, line in enumerate(source.splitlines(), start=1):
        is_fence = _FENCE.match(line) is not None
        is_row = line.lstrip().startswith("|") or _COLUMNS.match(line) is not None
        if is_fence or is_row or not line.strip() or _LIST_ITEM.match(line):
            yield from _paragraph(block)
            block = []
        if is_row and not fenced:
            yield from _cells(number, line)
        elif not (fenced or is_fence or is_row) and line.strip():
            block.append((number, _LIST_ITEM.sub("", line, count=1)))
        fenced ^= is_fence
    yield from _paragraph(block)


def python_passages(source: str) -> Iterator[Passage]:
    """Yield docstrings, comments, and string literals of several words."""
    tree = ast.parse(source)
    docstrings = set(_docstrings(tree))
    for docstring in docstrings:
        yield from _docstring_passages(docstring)
    for line, text in _messages(tree, docstrings):
        for offset, row in enumerate(text.split("\n")):
            if len(row.split()) >= _MESSAGE_WORDS:
                yield Passage(Kind.MESSAGE, line + offset, row)
    yield from _join_comments(_python_comments(source))


def comment_passages(source: str) -> Iterator[Passage]:
    """Yield the comments of a file whose comments begin with a hash."""
    lines = enumerate(source.splitlines(), start=1)
    found = ((number, _HASH_COMMENT.search(line), line) for number, line in lines)
    yield from _join_comments(
        (number, match[1], line.lstrip().startswith("#")) for number, match, line in found if match
    )


def _paragraph(block: list[tuple[int, str]]) -> Iterator[Passage]:
    if block:
        yield Passage(Kind.PARAGRAPH, block[0][0], "\n".join(line for _, line in block))


def _cells(number: int, row: str) -> Iterator[Passage]:
    if not _TABLE_RULE.fullmatch(row):
        for cell in _CELL_BORDER.split(row.strip().strip("|")):
            yield Passage(Kind.PARAGRAPH, number, cell.strip())


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the strings that are statements: docstrings, also those of attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as constant):
                yield constant


def _docstring_passages(docstring: ast.Constant) -> Iterator[Passage]:
    """Yield the summary and each described argument as docstrings, other paragraphs as comments."""
    text = str(docstring.value)
    opening_lines = {text.count("\n", 0, match.end()) + 1 for match in _ARGUMENT.finditer(text)}
    for index, passage in enumerate(markdown_passages(_ARGUMENT.sub("- ", text))):
        is_opening = index == 0 or passage.line in opening_lines
        kind = Kind.DOCSTRING if is_opening else Kind.COMMENT
        yield Passage(kind, docstring.lineno + passage.line - 1, passage.text)


def _messages(tree: ast.AST, docstrings: set[ast.Constant]) -> Iterator[tuple[int, str]]:
    """Yield the literals with a placeholder for each value that is filled in."""
    parts: set[ast.AST] = set(docstrings)
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values):
                parts.update(values)
                yield node.lineno, "".join(map(_literal_text, values))
            case ast.Constant(value=str(text)) if node not in parts:
                yield node.lineno, text


def _literal_text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else "VALUE"


def _python_comments(source: str) -> Iterator[tuple[int, str, bool]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            own_line = token.line[: token.start[1]].strip() == ""
            yield token.start[0], token.string.lstrip("# "), own_line


def _join_comments(comments: Iterable[tuple[int, str, bool]]) -> Iterator[Passage]:
    """Join comments on consecutive lines of their own; leave out directives for tools."""
    block: list[tuple[int, str]] = []
    for number, text, own_line in comments:
        if block and not (own_line and number == block[-1][0] + 1):
            yield _comment(block)
            block = []
        if not _DIRECTIVE.match(text):
            block.append((number, text))
    if block:
        yield _comment(block)


def _comment(block: list[tuple[int, str]]) -> Passage:
    return Passage(Kind.COMMENT, block[0][0], "\n".join(text for _, text in block))
