"""The wall time of a promotion whose evidence is at hand."""

import shutil
from pathlib import Path

from benchmarks.measurement import Direction, Measurement, log, wall_seconds
from benchmarks.workbench import HOUSECTL

_ROUNDS = 5


def measure(project: Path, scratch: Path) -> list[Measurement]:
    """Run `compare`, then `promote`, which promotes, each time in a fresh copy of the project.

    Args:
        project: Its newest challenger is better than its champion, and there is evidence of both.
        scratch: Gets the copies.
    """
    log(f"promotion: {_ROUNDS} rounds")
    rounds = [_round(project, scratch / f"promotion-{number}") for number in range(_ROUNDS)]
    compared, promoted = min(rounds, key=sum)
    return [
        Measurement(
            name="compare + promote, evidence at hand: s",
            ratio=compared + promoted,
            goal=1.0,
            better=Direction.LOWER,
            detail=f"{compared:.2f} + {promoted:.2f} s, best of {_ROUNDS}",
            unit="s",
        )
    ]


def _round(project: Path, copy: Path) -> tuple[float, float]:
    shutil.copytree(project, copy)
    # Both end with 0 only if the challenger wins.
    compared = wall_seconds([HOUSECTL, "compare"], cwd=copy)
    return compared, wall_seconds([HOUSECTL, "promote"], cwd=copy)
