"""Servers with one and two workers: throughput, memory, start, and answers under overload."""

import json
import os
import resource
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.load import load
from benchmarks.measurement import Direction, Measurement, log
from benchmarks.open_loop import OpenLoad, open_load
from benchmarks.servers import running_server
from benchmarks.serving import golden_bodies
from benchmarks.slow_server import SECONDS_PER_ROW

_ROUNDS = 5
_SECONDS = 2.0
_WORKERS = (1, 2)
# Equal for both servers, so that their batches are as large.
_CONNECTIONS_PER_WORKER = 8
_OVERLOAD = 3.0
_OBJECTIVE_MS = 50.0
_MAX_MEGABYTES = 120.0
_MAX_READY_SECONDS = 1.5


@dataclass(frozen=True)
class _Server:
    url: str
    ready_seconds: float

    def megabytes(self) -> float:
        """Return the greatest memory of a worker; shared memory counts in parts (PSS)."""
        return max(_megabytes(worker["pid"]) for worker in _health(self.url)["workers"])


@dataclass(frozen=True)
class _Round:
    """Load on a server.

    Attributes:
        rate: Predictions per second.
        free_cores: Cores that the load generator does not use.
    """

    rate: float
    free_cores: float


def measure(store: Path, scratch: Path) -> list[Measurement]:
    """Load servers with one and with two workers in turn, then overload a slow one.

    Args:
        store: Its champion is served.
        scratch: Directory for temporary files.
    """
    bodies = golden_bodies(store)
    with ExitStack() as stack:
        servers = {
            count: stack.enter_context(_running(store, count, scratch)) for count in _WORKERS
        }
        rounds: dict[int, list[_Round]] = {count: [] for count in servers}
        for number in range(_ROUNDS):
            log(f"workers: round {number + 1} of {_ROUNDS}")
            for count, server in servers.items():
                connections = _CONNECTIONS_PER_WORKER * count
                rounds[count].append(_load(server.url, bodies, scratch, connections))
        megabytes = servers[2].megabytes()
    return [
        _throughput(rounds),
        _limit("memory of a worker", megabytes, _MAX_MEGABYTES, "MB"),
        _limit("start of two workers", servers[2].ready_seconds, _MAX_READY_SECONDS, "s"),
        *_overload(store, bodies, scratch),
    ]


def _throughput(rounds: dict[int, list[_Round]]) -> Measurement:
    one, two = (median(each.rate for each in rounds[count]) for count in _WORKERS)
    free = median(each.free_cores for each in rounds[2])
    ratio = median(
        second.rate / (first.rate * min(2.0, second.free_cores))
        for first, second in zip(rounds[1], rounds[2], strict=True)
    )
    return Measurement(
        name="two workers: predictions per free core, against one worker",
        ratio=ratio,
        goal=0.9,
        better=Direction.HIGHER,
        detail=f"{two:.0f}/s against {one:.0f}/s; the load generator leaves {free:.2f} cores free",
    )


def _limit(name: str, value: float, goal: float, unit: str) -> Measurement:
    return Measurement(
        name=name,
        ratio=value,
        goal=goal,
        better=Direction.LOWER,
        detail=f"{value:.2f} {unit}, at most {goal:g}",
        unit=unit,
    )


def _overload(store: Path, bodies: list[str], scratch: Path) -> list[Measurement]:
    """Overload a model whose capacity the client can exceed, with the objective of 50 ms."""
    rate = _OVERLOAD / SECONDS_PER_ROW
    log(f"overload: {rate:.0f} requests a second")
    log_file = scratch / "slow-server.log"
    with running_server("benchmarks.slow_server", "--port", store=store, log=log_file) as url:
        result = open_load(f"{url}/predict", bodies, rate=rate, seconds=5 * _SECONDS)
    return [
        Measurement(
            name="three times the capacity: p99 of accepted requests",
            ratio=result.p99_ms,
            goal=2 * _OBJECTIVE_MS,
            better=Direction.LOWER,
            detail=_summary(result, rate),
            unit="ms",
        ),
        Measurement(
            name="three times the capacity: lost requests",
            ratio=result.lost,
            goal=0,
            better=Direction.LOWER,
            detail=f"of {result.statuses.total()}",
            unit="requests",
        ),
    ]


def _summary(result: OpenLoad, rate: float) -> str:
    return (
        f"{rate:.0f}/s offered, {result.rate:.0f}/s predicted, {result.refused:.0%} refused, "
        f"p50 {result.p50_ms:.0f} ms, p99 {result.p99_ms:.0f} ms, {result.unsent} not sent"
    )


@contextmanager
def _running(store: Path, workers: int, scratch: Path) -> Iterator[_Server]:
    module = ("housectl_server", "--workers", str(workers), "--port")
    start = time.perf_counter()
    with running_server(*module, store=store, log=scratch / f"workers-{workers}.log") as url:
        while _health(url)["status"] != "ok":
            time.sleep(0.02)
        yield _Server(url, time.perf_counter() - start)


def _load(url: str, bodies: list[str], scratch: Path, connections: int) -> _Round:
    before = _cpu_seconds_of_generator()
    result = load(
        f"{url}/predict", bodies, seconds=_SECONDS, scratch=scratch, connections=connections
    )
    used = (_cpu_seconds_of_generator() - before) / _SECONDS
    return _Round(result.rate, free_cores=len(os.sched_getaffinity(0)) - used)


def _cpu_seconds_of_generator() -> float:
    """Return the CPU time of ended child processes, and that of this one."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _health(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/health") as response:
        health: dict[str, Any] = json.load(response)
        return health


def _megabytes(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kilobytes = next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:"))
    return int(kilobytes) / 1000
