"""A cause with its hint, and helpers for its sentence."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

_S = TypeVar("_S")

_MAX_LENGTH = 240


@dataclass(frozen=True, kw_only=True)
class Cause:
    """The reason why an object is stuck or has failed.

    Attributes:
        message: One or two sentences. The cause of a trial or a task is written after a colon, so
            it begins with a lower-case letter.
        hint: A command that works when pasted; further advice follows it as a `#` comment.
        is_temporary: True if the end of another pod may remove the cause.
    """

    message: str
    hint: str
    is_temporary: bool = False

    def __str__(self) -> str:
        return f"{self.message} Hint: {self.hint}"


def first_cause(probes: Iterable[Callable[[_S], Cause | None]], subject: _S) -> Cause | None:
    """Return the cause from the first probe that finds one."""
    return next((cause for probe in probes if (cause := probe(subject))), None)


def decisive_cause(causes: Sequence[Cause]) -> Cause:
    """Return the most frequent cause that does not end by itself, or else the most frequent one."""
    lasting = [cause for cause in causes if not cause.is_temporary] or causes
    ((message, _),) = Counter(cause.message for cause in lasting).most_common(1)
    return next(cause for cause in lasting if cause.message == message)


def sentence(*parts: str) -> str:
    """Return one sentence of the parts that are not empty, each shortened, with colons between."""
    text = ": ".join(short for part in parts if (short := shorten(part)))
    return text if text.endswith("…") else f"{text}."


def split_hint(error: str) -> tuple[str, str]:
    """Return an error and its hint, which the service of the algorithm `housectl` adds."""
    problem, _, hint = error.partition(" hint: ")
    return problem, hint


def shorten(text: str) -> str:
    """Return a text on one line, cut at a readable length."""
    line = " ".join(text.split()).rstrip(".:;, ")
    return line if len(line) <= _MAX_LENGTH else f"{line[:_MAX_LENGTH].rstrip()}…"
