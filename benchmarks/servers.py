"""Servers of predictions as processes, for benchmarks."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from housectl_server.settings import STORE_VARIABLE
from tools.server_process import free_port, server_process


@contextmanager
def running_server(*module: str, store: str | Path, log: Path) -> Iterator[str]:
    """Run a module that serves a store's champion; yield the URL.

    Args:
        module: Name and arguments of the module; the port follows them.
        store: Path or URL of the store.
        log: File for the output of the server.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", *module, str(port)]
    environment = {**os.environ, STORE_VARIABLE: str(store)}
    with server_process(command, url=url, log=log, environment=environment):
        yield url
