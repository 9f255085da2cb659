"""A problem of the data that stops no search."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DataProblem:
    """A trap in the data, which a trainer accepts.

    Attributes:
        message: One sentence without a cell of the data; numbers are those of the target or counts.
        hint: An edit of the project file, or of the data file.
    """

    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"
