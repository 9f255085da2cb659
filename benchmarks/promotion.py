"""Wall time of a promotion whose evidence has been measured before."""

import shutil
from pathlib import Path

from benchmarks.measurement import Direction, Measurement, log, wall_seconds
from tools.project_directory import HOUSECTL

_ROUNDS = 5


def measure(project: Path, scratch: Path) -> list[Measurement]:
    """Run `compare` and `promote` in fresh copies of a project, and return the best time.

    Args:
        project: Its newest challenger beats its champion, and its store has the evidence of both.
        scratch: Directory for the copies.
    """
    log(f"promotion: {_ROUNDS} rounds")
    rounds = [_round(project, scratch / f"promotion-{number}") for number in range(_ROUNDS)]
    compared, promoted = min(rounds, key=sum)
    return [
        Measurement(
            name="compare + promote with stored evidence: s",
            ratio=compared + promoted,
            goal=1.0,
            better=Direction.LOWER,
            detail=f"{compared:.2f} + {promoted:.2f} s, best of {_ROUNDS}",
            unit="s",
        )
    ]


def _round(project: Path, copy: Path) -> tuple[float, float]:
    shutil.copytree(project, copy)
    # Both exit with status 0 only if the challenger wins.
    compared = wall_seconds([HOUSECTL, "compare"], cwd=copy)
    return compared, wall_seconds([HOUSECTL, "promote"], cwd=copy)
