"""Load thousands of altered bundles, as a server does."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Timer

from tests.drills.bundle_bases import Bases, write_bases
from tests.drills.bundle_servers import wrong_starts
from tests.drills.drill import DrillResult
from tools.project_directory import ROOT

SEED = 8

# The time of a worker depends on other processes, so a hang is recognised much later.
_HANG_SECONDS = 20.0
_MAX_CPU_SECONDS = 2.0
_MAX_MEMORY_MB = 200.0
_ATTEMPTS_PER_SERVER = 1000


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One altered bundle and its outcome.

    Attributes:
        wall, cpu: Seconds of loading.
        memory: Growth of the worker's largest memory so far, in MB.
    """

    number: int
    mutation: str
    accepted: bool = False
    problem: str | None = None
    wall: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0

    @property
    def failure(self) -> str | None:
        """The wrong outcome; None if the bundle was refused or predicts what it should."""
        problem = self.problem
        if self.mutation == "unchanged" and not self.accepted:
            problem = problem or "it is refused"
        if self.cpu > _MAX_CPU_SECONDS:
            problem = problem or f"it took {self.cpu:.1f} s"
        if self.memory > _MAX_MEMORY_MB:
            problem = problem or f"it took {self.memory:.0f} MB"
        return f"Bundle {self.number} ({self.mutation}): {problem}." if problem else None


def run(scratch: Path, count: int) -> DrillResult:
    """Load altered bundles in one worker for each processor, and check each outcome."""
    write_bases(scratch / "bases", scratch / "made")
    workers = os.cpu_count() or 1
    starts = [count * number // workers for number in range(workers + 1)]
    with ThreadPoolExecutor(workers) as threads:
        parts = threads.map(lambda part: list(_load_all(scratch, *part)), pairwise(starts))
        attempts = [attempt for part in parts for attempt in part]
    servers = max(1, count // _ATTEMPTS_PER_SERVER)
    wrong_servers = wrong_starts(SEED, Bases.read(scratch / "bases"), scratch, number=servers)
    accepted = Counter(attempt.accepted for attempt in attempts)[True]
    return DrillResult(
        attempts=len(attempts),
        failures=[*filter(None, (attempt.failure for attempt in attempts)), *wrong_servers],
        figures=[
            f"{len(attempts) - accepted:,} were refused, {accepted:,} predict as recorded.",
            f"The slowest took {max(attempt.wall for attempt in attempts):.2f} s.",
            f"The memory grew by {max(attempt.memory for attempt in attempts):.0f} MB.",
            f"{servers} servers refused to start on one of them.",
            f"The seed was {SEED}.",
        ],
    )


def _load_all(scratch: Path, first: int, end: int) -> Iterator[Attempt]:
    """Load the bundles with some numbers; a worker that ends early is replaced."""
    while first < end:
        attempts = list(_load_until_crash(scratch, first, end))
        assert attempts, "the worker does not start"
        first = attempts[-1].number + 1
        yield from attempts


def _load_until_crash(scratch: Path, first: int, end: int) -> Iterator[Attempt]:
    store = scratch / f"store-{first}"
    arguments = map(str, (SEED, first, end, scratch / "bases", store))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.drills.bundle_worker", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as worker:
        assert worker.stdout
        for start in worker.stdout:
            watchdog = Timer(_HANG_SECONDS, worker.kill)
            watchdog.start()
            outcome = worker.stdout.readline()
            watchdog.cancel()
            if not outcome.endswith(b"}\n"):
                worker.kill()
                problem = f"the worker hangs, or crashes with status {worker.wait()}"
                yield Attempt(**json.loads(start), problem=problem)
                return
            yield Attempt(**json.loads(start), **json.loads(outcome))
