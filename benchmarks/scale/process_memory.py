"""Duration of a command, and the peak memory of all its processes."""

import os
import re
import secrets
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Self

from benchmarks.measurement import log

_MARK = "SCALE_BENCHMARK"
_PAUSE_SECONDS = 0.1
_MAX_PASS_SECONDS = 0.25
_PROPORTIONAL = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)
# Position among the fields of /proc/PID/stat that follow the name of the program.
_USER_TIME = 11
_LARGEST = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Wall time, CPU time and peak memory of a step.

    Attributes:
        cpu_seconds: CPU time of all processes.
        memory: Peak memory in bytes. Pages that processes share count once.
    """

    seconds: float
    cpu_seconds: float
    memory: int


@dataclass(frozen=True)
class CommandResult:
    """Cost and output of a command."""

    cost: Cost
    output: bytes


class MemorySampler:
    """Samples all processes that have a mark in their environment.

    A search runs in processes of its own session, so the children of a command are not enough.

    Attributes:
        environment: The mark.
    """

    def __init__(self) -> None:
        self.environment = {_MARK: secrets.token_hex(8)}
        self._peak = 0
        self._ticks: dict[str, int] = {}
        self._is_known: dict[str, bool] = {}
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def cost(self, seconds: float) -> Cost:
        """Return the cost so far of a step that took this wall time."""
        return Cost(
            seconds=seconds,
            cpu_seconds=sum(self._ticks.copy().values()) / os.sysconf("SC_CLK_TCK"),
            memory=self._peak,
        )

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE_SECONDS):
            self._sample()

    def _sample(self) -> None:
        total, start = 0, time.perf_counter()
        for process in (path.name for path in Path("/proc").iterdir() if path.name.isdigit()):
            if process not in self._is_known:
                self._is_known[process] = self._is_marked(process)
            if self._is_known[process]:
                total += _read_size(process, "smaps_rollup", _PROPORTIONAL)
                self._peak = max(self._peak, _read_size(process, "status", _LARGEST))
                self._ticks[process] = _read_ticks(process) or self._ticks.get(process, 0)
        # In a longer pass, a process ends, and its shared pages count again in its parent.
        if time.perf_counter() - start < _MAX_PASS_SECONDS:
            self._peak = max(self._peak, total)

    def _is_marked(self, process: str) -> bool:
        mark = f"{_MARK}={self.environment[_MARK]}".encode()
        with suppress(OSError):
            return mark in Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        return False


def measure_command(
    command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str] | None = None
) -> CommandResult:
    """Run a command; show its output if it fails."""
    with MemorySampler() as sampler:
        start = time.perf_counter()
        result = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {}), **sampler.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        seconds = time.perf_counter() - start
    if result.returncode:
        log((result.stdout + result.stderr).decode(errors="replace"))
        result.check_returncode()
    return CommandResult(sampler.cost(seconds), result.stdout)


def _read_size(process: str, file: str, pattern: re.Pattern[str]) -> int:
    with suppress(OSError):
        if size := pattern.search(Path(f"/proc/{process}/{file}").read_text()):
            return int(size[1]) * 1024
    return 0


def _read_ticks(process: str) -> int:
    """Return the user and system time of a process in clock ticks; 0 after its end."""
    with suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return int(fields[_USER_TIME]) + int(fields[_USER_TIME + 1])
    return 0
