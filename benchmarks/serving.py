"""Predictions per second, against an endpoint that checks the same body and does nothing else."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.load import Load, generator, load
from benchmarks.measurement import Better, Measurement, tell
from benchmarks.workbench import ROOT
from housectl.contract.bundle import Bundle
from housectl.store import ChampionStore
from server.settings import STORE_VARIABLE

_ROUNDS = 5
_SECONDS = 3.0
_WARM_UP_SECONDS = 1.0
_START_SECONDS = 30.0
_BASELINE = "constant"


def measure(
    stores: Mapping[str, Path], goals: Mapping[str, float], scratch: Path
) -> list[Measurement]:
    """Load the servers in turn, and compare the best rates.

    Args:
        stores: A store for each server; they have the same schema.
        goals: The goal for each of them.
        scratch: Directory for files that are needed meanwhile.
    """
    body = _body(next(iter(stores.values())))
    with ExitStack() as servers:
        ports = {
            name: servers.enter_context(_serving(["server", "--port"], store))
            for name, store in stores.items()
        }
        store = next(iter(stores.values()))
        ports[_BASELINE] = servers.enter_context(_serving(["benchmarks.constant_server"], store))
        for port in ports.values():
            load(port, body, seconds=_WARM_UP_SECONDS, scratch=scratch)
        loads: dict[str, list[Load]] = {name: [] for name in ports}
        for number in range(_ROUNDS):
            tell(f"serving: round {number + 1} of {_ROUNDS}, load by {generator()}")
            for name, port in ports.items():
                loads[name].append(load(port, body, seconds=_SECONDS, scratch=scratch))
    best = {name: max(each, key=lambda load: load.rate) for name, each in loads.items()}
    return [_measurement(name, best, goal) for name, goal in goals.items()]


def _measurement(name: str, best: Mapping[str, Load], goal: float) -> Measurement:
    ours, baseline = best[name], best[_BASELINE]
    return Measurement(
        name=f"/predict with {name}",
        ratio=ours.rate / baseline.rate,
        goal=goal,
        better=Better.HIGHER,
        detail=f"{_shown(ours)}; against {_shown(baseline)}; by {generator()}",
    )


def _shown(load: Load) -> str:
    return f"{load.rate:.0f}/s, p50 {load.p50:.2f} ms, p99 {load.p99:.2f} ms"


def _body(store: Path) -> str:
    """Return a real row as clients send it."""
    golden = _champion(store).golden
    return json.dumps(dict(zip(golden.features, golden.rows[0].row, strict=True)))


def _champion(store: Path) -> Bundle:
    held = ChampionStore(store)
    return held.bundle(held.require_champion().bundle)


@contextmanager
def _serving(module: list[str], store: Path) -> Iterator[int]:
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", *module, str(port)],
        cwd=ROOT,
        env={**os.environ, STORE_VARIABLE: str(store)},
    )
    try:
        _wait_for(port)
        yield port
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
