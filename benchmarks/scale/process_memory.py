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
_PROPORTIONAL = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)
_LARGEST = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Wall time and peak memory of a step.

    Attributes:
        memory: Peak memory in bytes. Pages that processes share count once.
    """

    seconds: float
    memory: int


class MemorySampler:
    """Samples the memory of all processes that have a mark in their environment.

    A search runs in processes of its own session, so the children of a command are not enough.
    """

    def __init__(self) -> None:
        self.environment = {_MARK: secrets.token_hex(8)}
        self.peak = 0
        self._entry = f"{_MARK}={self.environment[_MARK]}".encode()
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        known: dict[str, bool] = {}
        while not self._stop.wait(_PAUSE_SECONDS):
            self._sample(known)

    def _sample(self, known: dict[str, bool]) -> None:
        total = 0
        for process in (path.name for path in Path("/proc").iterdir() if path.name.isdigit()):
            if process not in known:
                known[process] = self._is_marked(process)
            if known[process]:
                total += _read_size(process, "smaps_rollup", _PROPORTIONAL)
                self.peak = max(self.peak, _read_size(process, "status", _LARGEST))
        self.peak = max(self.peak, total)

    def _is_marked(self, process: str) -> bool:
        with suppress(OSError):
            return self._entry in Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        return False


def measure_command(
    command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str] | None = None
) -> Cost:
    """Run a command, and return its cost; show its output if it fails."""
    with MemorySampler() as sampler:
        start = time.perf_counter()
        result = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {}), **sampler.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        seconds = time.perf_counter() - start
    if result.returncode:
        log(result.stdout.decode(errors="replace"))
        result.check_returncode()
    return Cost(seconds=seconds, memory=sampler.peak)


def _read_size(process: str, file: str, pattern: re.Pattern[str]) -> int:
    with suppress(OSError):
        if size := pattern.search(Path(f"/proc/{process}/{file}").read_text()):
            return int(size[1]) * 1024
    return 0
