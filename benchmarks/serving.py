"""Predictions per second, against an endpoint that checks the same bodies and does no more."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median

from benchmarks.constant_server import FASTEST, ORDINARY, ROUTED
from benchmarks.load import Load, generator, load
from benchmarks.measurement import Direction, Measurement, log
from housectl.store.local import LocalStore
from housectl_server.settings import STORE_VARIABLE
from tools.project_directory import ROOT

_ROUNDS = 9
_SECONDS = 2.0
_WARM_UP_SECONDS = 1.0
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Served:
    """A store whose champion is served, and the goal for its rate over the baseline's."""

    store: Path
    goal: float


def measure(served: Mapping[str, Served], scratch: Path) -> list[Measurement]:
    """Load the endpoints in turn, and take the median of the rounds' ratios.

    The best rates would not do: other work comes and goes, and the lighter of two servers has more
    from a quiet moment.

    Args:
        served: By name; their champions have the same schema.
        scratch: Directory for files that are needed meanwhile.
    """
    first = next(iter(served.values())).store
    with ExitStack() as servers:
        constant = servers.enter_context(_serving("benchmarks.constant_server", store=first))
        urls = {path: constant + path for path in (FASTEST, ROUTED, ORDINARY)}
        for name, each in served.items():
            url = servers.enter_context(_serving("housectl_server", "--port", store=each.store))
            urls[name] = f"{url}/predict"
        loads = _loads(urls, _bodies(first), scratch)
    return [_measurement(name, loads, each.goal) for name, each in served.items()]


def _loads(urls: Mapping[str, str], bodies: Sequence[str], scratch: Path) -> dict[str, list[Load]]:
    """Return what each endpoint bore in each round."""
    for url in urls.values():
        load(url, bodies, seconds=_WARM_UP_SECONDS, scratch=scratch)
    loads: dict[str, list[Load]] = {name: [] for name in urls}
    for number in range(_ROUNDS):
        log(f"serving: round {number + 1} of {_ROUNDS}, load by {generator()}")
        for name, url in urls.items():
            loads[name].append(load(url, bodies, seconds=_SECONDS, scratch=scratch))
    return loads


def _measurement(name: str, loads: Mapping[str, Sequence[Load]], goal: float) -> Measurement:
    return Measurement(
        name=f"/predict with {name}",
        ratio=_ratio(loads[name], loads[FASTEST]),
        goal=goal,
        better=Direction.HIGHER,
        detail=f"{_shown(loads[name])}\nagainst {_shown(loads[FASTEST])}\n"
        f"({_beside(loads, name, ROUTED)} of a lean route in FastAPI, "
        f"{_beside(loads, name, ORDINARY)} of an ordinary endpoint)",
    )


def _beside(loads: Mapping[str, Sequence[Load]], ours: str, theirs: str) -> str:
    return f"{_ratio(loads[ours], loads[theirs]):.2f}"


def _ratio(ours: Sequence[Load], theirs: Sequence[Load]) -> float:
    return median(one.rate / other.rate for one, other in zip(ours, theirs, strict=True))


def _shown(rounds: Sequence[Load]) -> str:
    rate, p50, p99 = (median(each) for each in zip(*map(astuple, rounds), strict=True))
    return f"{rate:.0f}/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms"


def _bodies(store: Path) -> list[str]:
    """Return real rows as clients send them.

    One row would not do: the processor learns its way through the trees by heart.
    """
    held = LocalStore(store)
    golden = held.bundle(held.require_champion().bundle).golden
    return [json.dumps(dict(zip(golden.features, each.row, strict=True))) for each in golden.rows]


@contextmanager
def _serving(*module: str, store: Path) -> Iterator[str]:
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", *module, str(port)],
        cwd=ROOT,
        env={**os.environ, STORE_VARIABLE: str(store)},
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
