"""What a search on a cluster costs the process that waits for it, and the API server."""

import os
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.cluster.bench import Bench
from benchmarks.cluster.counting import Request, counting
from benchmarks.measurement import Better, Measurement, cpu_seconds, tell

_TRIALS = 12


def measure(bench: Bench, scratch: Path) -> list[Measurement]:
    """Run `tune` twice from start to end: once with a clock on it, once through a proxy."""
    return [_processor(bench), _requests(bench, scratch)]


def _processor(bench: Bench) -> Measurement:
    tell(f"processor: a search of {_TRIALS} trials")
    used = cpu_seconds(bench.tune("clocked", trials=_TRIALS), cwd=bench.project)
    return Measurement(
        name=f"tune, {_TRIALS} trials: CPU s of the command",
        ratio=used,
        goal=5.0,
        better=Better.LOWER,
        detail="user's and system's, from start to end, sealing included",
        unit="s",
    )


def _requests(bench: Bench, scratch: Path) -> Measurement:
    tell(f"requests: a search of {_TRIALS} trials")
    with counting(scratch) as counted:
        subprocess.run(
            bench.tune("counted", trials=_TRIALS),
            cwd=bench.project,
            env=os.environ | {"KUBECONFIG": str(counted.kubeconfig)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
    searching, sealing = _waiting(counted.requests)
    return Measurement(
        name="requests a minute, waiting for trials",
        ratio=_rate(searching),
        goal=30.0,
        better=Better.LOWER,
        detail=f"{_told(searching)}; waiting for sealing {_told(sealing)}; "
        f"the whole command {_told(counted.requests)}",
        unit="/min",
    )


def _waiting(requests: Sequence[Request]) -> tuple[Sequence[Request], Sequence[Request]]:
    """Return what was asked while it waited for the trials, and for the task that seals.

    Each begins with the POST that created what it waits for, and lasts until the next one.
    """
    posts = [place for place, each in enumerate(requests) if each.method == "POST"]
    of_search, of_task = (
        next(place for place in posts if requests[place].path.endswith(plural))
        for plural in ("/experiments", "/jobs")
    )
    ends = dict(pairwise(posts))
    return requests[of_search : ends[of_search] + 1], requests[of_task : ends[of_task] + 1]


def _rate(requests: Sequence[Request]) -> float:
    return (len(requests) - 2) / (_seconds(requests) / 60)


def _seconds(requests: Sequence[Request]) -> float:
    return requests[-1].at - requests[0].at


def _told(requests: Sequence[Request]) -> str:
    return f"{len(requests) - 2} in {_seconds(requests):.0f} s"
