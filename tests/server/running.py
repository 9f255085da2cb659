"""Server processes, started as the command line starts them."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from housectl.contract.bundle import Bundle
from housectl.python_process import module_argv
from housectl.store.local import LocalStore
from tests.server.bundles import promote

ROW = {"RM": 6.5, "LSTAT": 5.0}
SERVER = tuple(module_argv("housectl_server"))
FRAGILE_SERVER = ("-P", str(Path(__file__).with_name("fragile_server.py")))

_TIMEOUT_SECONDS = 30.0
_MAX_PAUSE_SECONDS = 0.2
_LISTENING = re.compile(r"listening on (http://\S+)")


@dataclass(frozen=True)
class RunningServer:
    """A server process; `client` keeps one connection to it."""

    process: "subprocess.Popen[bytes]"
    output: Path
    client: httpx.Client

    @property
    def url(self) -> str:
        return str(self.client.base_url)

    def connect(self) -> socket.socket:
        """Open a connection for bytes that no HTTP client would send."""
        url = self.client.base_url
        return socket.create_connection((url.host, url.port or 80), timeout=_TIMEOUT_SECONDS)

    def predict(self, row: object = ROW) -> httpx.Response:
        return self.client.post("/predict", json=row)

    def health(self) -> dict[str, object]:
        response = self.client.get("/health")
        assert response.status_code == 200
        body: dict[str, object] = response.json()
        return body

    def wait_for(self, **fields: object) -> dict[str, object]:
        """Wait until /health has these values, and return all of them."""
        wait_until(lambda: self.health().items() >= fields.items())
        return self.health()

    def log(self) -> str:
        return self.output.read_text()


@contextmanager
def running(
    store: Path | str,
    output: Path,
    *,
    options: tuple[str, ...] = (),
    program: tuple[str, ...] = SERVER,
    arguments: tuple[str, ...] = (),
    wrapper: tuple[str, ...] = (),
) -> Iterator[RunningServer]:
    """Start a server on a free port, in the directory of `output`."""
    process = start(
        store,
        output,
        options=options,
        program=program,
        arguments=("--port", "0", *arguments),
        wrapper=wrapper,
    )
    try:
        wait_until(lambda: process.poll() is not None or _LISTENING.search(output.read_text()))
        match = _LISTENING.search(output.read_text())
        assert match, output.read_text()
        with httpx.Client(base_url=match[1], trust_env=False, timeout=10) as client:
            yield RunningServer(process, output, client)
    finally:
        process.kill()
        process.wait()


@contextmanager
def running_bundle(path: Path, bundle: Bundle) -> Iterator[RunningServer]:
    """Start a server of a bundle, which is the only champion of a store in the directory."""
    store = LocalStore(path / "store")
    promote(store, bundle)
    with running(store.path, path / "output.txt") as server:
        yield server


def start(
    store: Path | str,
    output: Path,
    *,
    options: tuple[str, ...] = (),
    program: tuple[str, ...] = SERVER,
    arguments: tuple[str, ...] = (),
    wrapper: tuple[str, ...] = (),
) -> "subprocess.Popen[bytes]":
    with output.open("wb") as file:
        return subprocess.Popen(
            [*wrapper, sys.executable, *options, *program, *arguments],
            cwd=output.parent,
            env={**os.environ, "HOUSECTL_STORE": str(store), "PYTHONUNBUFFERED": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition is met, with pauses that grow: a look can cost a process."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    pause = 0.02
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(pause)
        pause = min(1.3 * pause, _MAX_PAUSE_SECONDS)
