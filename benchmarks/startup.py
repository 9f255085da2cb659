"""CPU time of frequent commands, minus that of Python itself."""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measurement import Direction, Measurement, cpu_seconds, log
from tools.project_directory import HOUSECTL

_ROUNDS = 9
_GOALS = {"--help": 150.0, "history": 220.0}


def measure(project: Path) -> list[Measurement]:
    """Run each command in turn with `python -c pass`, and subtract the best times.

    Args:
        project: Its store has a few champions.
    """
    log(f"startup: {_ROUNDS} rounds")
    python = (sys.executable, "-c", "pass")
    commands = {name: (HOUSECTL, name) for name in _GOALS}
    for command in commands.values():
        # The first run compiles modules.
        cpu_seconds(command, cwd=project)
    baseline: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in _GOALS}
    for _ in range(_ROUNDS):
        baseline.append(_milliseconds(python, project))
        for name, command in commands.items():
            times[name].append(_milliseconds(command, project))
    return [
        Measurement(
            name=f"housectl {name}: CPU ms over python -c pass",
            ratio=min(times[name]) - min(baseline),
            goal=goal,
            better=Direction.LOWER,
            detail=f"{min(times[name]):.0f} against {min(baseline):.0f} ms, best of {_ROUNDS}",
            unit="ms",
        )
        for name, goal in _GOALS.items()
    ]


def _milliseconds(command: Sequence[str | Path], project: Path) -> float:
    return 1000 * cpu_seconds(command, cwd=project)
