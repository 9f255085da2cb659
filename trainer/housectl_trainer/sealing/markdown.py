"""Parts of Markdown texts: tables, lists, and texts within a line."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))


def bullets(lines: Iterable[str]) -> str:
    """Return a list, or the word none."""
    return "\n".join(f"- {line}" for line in lines) or "- none"


def code(text: str) -> str:
    """Return any text as code within a cell of a table."""
    return f"`{' '.join(text.split()).replace('`', ' ').replace('|', '/')}`"
