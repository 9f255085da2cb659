"""What a search on a cluster costs the process that waits for it, and the API server."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.cluster.bench import ClusterBench
from benchmarks.cluster.counting import Request, counting
from benchmarks.cluster.terminal import cpu_seconds_on_terminal
from benchmarks.measurement import Direction, Measurement, log

_TRIALS = 12


def measure(bench: ClusterBench, scratch: Path) -> list[Measurement]:
    """Run `tune` twice from start to end: once with a clock on it, once through a proxy."""
    return [_processor(bench), _requests(bench, scratch)]


def _processor(bench: ClusterBench) -> Measurement:
    log(f"processor: a search of {_TRIALS} trials")
    command = bench.tune("clocked", trials=_TRIALS)
    return Measurement(
        name=f"tune, {_TRIALS} trials: CPU s of the command",
        ratio=cpu_seconds_on_terminal(command, cwd=bench.project),
        goal=5.0,
        better=Direction.LOWER,
        detail="user's and system's, from start to end, on a terminal, sealing included",
        unit="s",
    )


def _requests(bench: ClusterBench, scratch: Path) -> Measurement:
    log(f"requests: a search of {_TRIALS} trials")
    with counting(scratch) as counted:
        cpu_seconds_on_terminal(
            bench.tune("counted", trials=_TRIALS),
            cwd=bench.project,
            environment={"KUBECONFIG": str(counted.kubeconfig)},
        )
        requests = counted.requests()
    (searching, seconds), (sealing, of_sealing) = (
        _waiting(requests, ending) for ending in ("/experiments", "/jobs")
    )
    return Measurement(
        name="requests a minute, waiting for trials",
        ratio=60 * len(searching) / seconds,
        goal=30.0,
        better=Direction.LOWER,
        detail=f"{len(searching)} in {seconds:.0f} s, the first lists and watches included; "
        f"waiting for sealing {len(sealing)} in {of_sealing:.0f} s; "
        f"{len(requests)} by the whole command",
        unit="/min",
    )


def _waiting(requests: Sequence[Request], ending: str) -> tuple[Sequence[Request], float]:
    """Return what was asked while it waited, and for how many seconds that was.

    A wait begins with the POST that creates what is waited for, and lasts until the next one.
    """
    posts = [place for place, each in enumerate(requests) if each.method == "POST"]
    begin, end = next(each for each in pairwise(posts) if requests[each[0]].path.endswith(ending))
    return requests[begin + 1 : end], requests[end].at - requests[begin].at
