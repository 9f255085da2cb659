"""Result of a benchmark, and clocks for processes."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Direction(StrEnum):
    """The better direction of a ratio."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A figure and its goal.

    Attributes:
        ratio: housectl's figure divided by the baseline's; with a unit, the figure itself.
        detail: The figures behind the ratio, as text.
    """

    name: str
    ratio: float
    goal: float
    better: Direction
    detail: str
    unit: str = ""

    @property
    def met(self) -> bool:
        """True if the goal is reached."""
        return (
            self.ratio <= self.goal if self.better is Direction.LOWER else self.ratio >= self.goal
        )


def log(text: str) -> None:
    """Print progress on stderr."""
    print(text, file=sys.stderr, flush=True)


def wall_seconds(
    command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str] | None = None
) -> float:
    """Run a process and return its duration; show its output if it fails."""
    start = time.perf_counter()
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    seconds = time.perf_counter() - start
    if result.returncode:
        log(result.stdout.decode(errors="replace"))
        result.check_returncode()
    return seconds


def cpu_seconds(command: Sequence[str | Path], *, cwd: Path) -> float:
    """Run a process and return its user and system CPU time."""
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return usage.ru_utime + usage.ru_stime
