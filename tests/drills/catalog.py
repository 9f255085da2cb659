"""The table of all drills."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.drills.drill import DrillResult


@dataclass(frozen=True, kw_only=True)
class Drill:
    """A drill with its size in `make drill` and in `make test`.

    Attributes:
        title: The attempts and the expected outcome, for docs/reliability.md.
        run: Runs a number of attempts in an empty directory.
        full: Number of attempts in `make drill`.
        short: Number of attempts in `make test`.
    """

    title: str
    run: Callable[[Path, int], DrillResult]
    full: int
    short: int


DRILLS: dict[str, Drill] = {}
