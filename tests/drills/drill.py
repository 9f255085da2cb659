"""The outcome of a drill."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DrillResult:
    """Outcome of a drill.

    Attributes:
        attempts: Attacks or faults that the drill made.
        failures: One sentence for each attempt with a wrong outcome; empty if all were right.
        figures: Measured figures, one sentence each, such as "The slowest refusal took 0.2 s".
    """

    attempts: int
    failures: Sequence[str]
    figures: Sequence[str] = ()
