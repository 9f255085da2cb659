"""Problems of a store's files, each with a hint."""

from dataclasses import dataclass
from enum import StrEnum


class ProblemKind(StrEnum):
    """Kind of a problem.

    Attributes:
        MISSING: Another file names the file.
        INVALID: The file is altered, malformed, or not a regular file.
        STRAY: No store has such a file.
    """

    MISSING = "missing"
    INVALID = "invalid"
    STRAY = "stray"


@dataclass(frozen=True, kw_only=True)
class StoreProblem:
    """Problem of one file or folder.

    Attributes:
        file: Path or URL of the file.
        cause: Cause, in one sentence.
        hint: A command that fixes or narrows the problem.
    """

    kind: ProblemKind
    file: str
    cause: str
    hint: str


def cause_of(error: BaseException) -> str:
    """Return the cause of a failed read or parse, for a sentence about the file."""
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error).rstrip(".")
