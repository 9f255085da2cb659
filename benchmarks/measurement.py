"""What a benchmark yields, and the clocks that it reads."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Direction(StrEnum):
    """Which way a ratio has to go."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A figure and its goal.

    Attributes:
        ratio: housectl's figure by the baseline's, or what `unit` says.
        detail: What it was made of, for people.
    """

    name: str
    ratio: float
    goal: float
    better: Direction
    detail: str
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return (
            self.ratio <= self.goal if self.better is Direction.LOWER else self.ratio >= self.goal
        )


def log(text: str) -> None:
    """Say on stderr what goes on."""
    print(text, file=sys.stderr, flush=True)


def wall_seconds(
    command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str] | None = None
) -> float:
    """Run a process to its end and return how long that took; its output is shown if it fails."""
    began = time.perf_counter()
    ended = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    seconds = time.perf_counter() - began
    if ended.returncode:
        log(ended.stdout.decode(errors="replace"))
        ended.check_returncode()
    return seconds


def cpu_seconds(command: Sequence[str | Path], *, cwd: Path) -> float:
    """Run a process to its end and return the CPU time that it used, user's and system's."""
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return usage.ru_utime + usage.ru_stime
