"""CPU time and API requests of `tune` while it waits for a search on a cluster."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.cluster.api_recorder import Request, record_requests
from benchmarks.cluster.bench import ClusterBench
from benchmarks.cluster.pty_run import cpu_seconds_on_terminal
from benchmarks.measurement import Direction, Measurement, log

_TRIALS = 12


def measure(bench: ClusterBench, scratch: Path) -> list[Measurement]:
    """Run `tune` twice: once to measure its CPU time, once through the recording proxy."""
    return [_cpu_time(bench), _requests(bench, scratch)]


def _cpu_time(bench: ClusterBench) -> Measurement:
    log(f"CPU time: a search of {_TRIALS} trials")
    command = bench.tune_command("timed", trials=_TRIALS)
    return Measurement(
        name=f"tune, {_TRIALS} trials: CPU s of the command",
        ratio=cpu_seconds_on_terminal(command, cwd=bench.project),
        goal=5.0,
        better=Direction.LOWER,
        detail="user and system time of the whole command on a terminal, including sealing",
        unit="s",
    )


def _requests(bench: ClusterBench, scratch: Path) -> Measurement:
    log(f"requests: a search of {_TRIALS} trials")
    with record_requests(scratch) as traffic:
        cpu_seconds_on_terminal(
            bench.tune_command("recorded", trials=_TRIALS),
            cwd=bench.project,
            environment={"KUBECONFIG": str(traffic.kubeconfig)},
        )
        requests = traffic.requests()
    search_requests, search_seconds = _requests_while_waiting(requests, "/experiments")
    seal_requests, seal_seconds = _requests_while_waiting(requests, "/jobs")
    return Measurement(
        name="requests per minute while waiting for trials",
        ratio=60 * len(search_requests) / search_seconds,
        goal=30.0,
        better=Direction.LOWER,
        detail=f"{len(search_requests)} in {search_seconds:.0f} s, including the first lists and "
        f"watches; {len(seal_requests)} in {seal_seconds:.0f} s of waiting for sealing; "
        f"{len(requests)} by the whole command",
        unit="/min",
    )


def _requests_while_waiting(
    requests: Sequence[Request], collection: str
) -> tuple[Sequence[Request], float]:
    """Return the requests during the wait for an object, and the seconds of that wait.

    The wait begins with the POST that creates the object, and ends with the next POST.
    """
    posts = [index for index, request in enumerate(requests) if request.method == "POST"]
    begin, end = next(
        pair for pair in pairwise(posts) if requests[pair[0]].path.endswith(collection)
    )
    return requests[begin + 1 : end], requests[end].at - requests[begin].at
