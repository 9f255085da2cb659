"""A cause and its hint, and the words that they are made of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

_S = TypeVar("_S")

_LONGEST = 240


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why something is stuck or has failed.

    Attributes:
        what: What happened, in one or two sentences. That of a trial or a task is written after a
            colon, so it begins with a small letter.
        hint: The command to type; what to do beyond it stands behind `#`.
    """

    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.message} Hint: {self.hint}"


def first_cause(probes: Iterable[Callable[[_S], Cause | None]], subject: _S) -> Cause | None:
    """Return what the first probe finds that finds anything."""
    return next((cause for probe in probes if (cause := probe(subject))), None)


def sentence(*parts: str) -> str:
    """Return one sentence of the parts that are not empty, each shortened, with colons between."""
    text = ": ".join(short for part in parts if (short := shorten(part)))
    return text if text.endswith("…") else f"{text}."


def shorten(text: str) -> str:
    """Return a text on one line, cut where it becomes too long to read."""
    line = " ".join(text.split()).rstrip(".:;, ")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST].rstrip()}…"
