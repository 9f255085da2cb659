"""The servers of the table, and what each of them needs."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.constant_server import FASTEST, ORDINARY
from benchmarks.serving_peers.environments import environment, megabytes_on_disk
from benchmarks.serving_peers.peers import PEERS
from benchmarks.serving_peers.processes import kill_below, wait_until_ready
from housectl_server.settings import STORE_VARIABLE
from tools.server_process import free_port, server_process


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A server that can be started.

    Attributes:
        command: Program with its arguments.
        url: URL of predictions.
        ready: URL that answers 200 once the server predicts.
        bodies: Request bodies, one per row.
        directory: Working directory.
        installed: Megabytes on disk of an environment of its own, if it has one.
    """

    command: Sequence[str | Path]
    url: str
    ready: str
    bodies: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    installed: float | None = None


def housectl(store: Path, bodies: Sequence[str], *, workers: int) -> Contestant:
    """Return housectl's server."""
    module = ("housectl_server", "--workers", str(workers), "--port")
    return _of_store(module, store, bodies, path="/predict", ready="/health/ready")


def constant(store: Path, bodies: Sequence[str], path: str) -> Contestant:
    """Return an endpoint with a constant prediction."""
    return _of_store(("benchmarks.constant_server",), store, bodies, path=path, ready="/docs")


def _of_store(
    module: Sequence[str], store: Path, bodies: Sequence[str], *, path: str, ready: str
) -> Contestant:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    return Contestant(
        command=[sys.executable, "-m", *module, str(port)],
        url=url + path,
        ready=url + ready,
        bodies=bodies,
        directory=Path.cwd(),
        environment={STORE_VARIABLE: str(store)},
    )


def peer(name: str, model: Path, bodies: Sequence[str]) -> Contestant:
    """Return a peer with the forest in the directory of `model`.

    Raises:
        InstallationError: Its packages cannot be installed.
    """
    definition, port = PEERS[name], free_port()
    installed = environment(name)
    programs = installed / "bin"
    definition.prepare(programs / "python", model.parent)
    url = f"http://127.0.0.1:{port}"
    program, *arguments = definition.command(port)
    return Contestant(
        command=[programs / program, *arguments],
        url=url + definition.path,
        ready=url + definition.ready,
        bodies=[json.dumps(definition.body(json.loads(body))) for body in bodies],
        directory=model.parent,
        environment={
            **definition.environment,
            "MLSERVER_HTTP_PORT": str(port),
            # Servers start programs of their own environment.
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        },
        installed=megabytes_on_disk(installed),
    )


@contextmanager
def started(contestant: Contestant, log: Path) -> Iterator[float]:
    """Run a server during the block; yield the seconds from its start until it is ready."""
    command = ["/usr/bin/env", "--chdir", contestant.directory, *contestant.command]
    environment = {**os.environ, **contestant.environment}
    start = time.perf_counter()
    with server_process(command, url=contestant.ready, log=log, environment=environment):
        try:
            wait_until_ready(contestant.ready)
            yield time.perf_counter() - start
        finally:
            kill_below(os.getpid())


CONSTANTS = {"ordinary FastAPI endpoint, constant": ORDINARY, "raw ASGI, constant": FASTEST}
