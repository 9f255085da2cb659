"""A worker: one of several processes that serve on the same port."""

import logging
import os
import shutil
import signal
import socket
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import NoReturn

from housectl.errors import ExitStatus, HousectlError
from housectl_server.monitoring.monitor import Monitor
from housectl_server.serving import load_server
from housectl_server.settings import Settings
from housectl_server.worker_states import WorkerStates

_log = logging.getLogger(__name__)


class Lifeline:
    """A pipe that closes when the parent ends, even by SIGKILL."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()

    def end_with_parent(self, directory: Path) -> None:
        """End this process when its parent ends, and remove the runtime directory."""
        os.close(self._writer)  # otherwise this process and its siblings would keep it open

        def wait() -> None:
            os.read(self._reader, 1)
            shutil.rmtree(directory, ignore_errors=True)
            os.kill(os.getpid(), signal.SIGTERM)

        Thread(target=wait, daemon=True).start()


def reset_signals() -> None:
    """End this process by the signals that the parent handles in its own manner."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, _exit)


def run_worker(
    settings: Settings,
    monitor: Monitor,
    listener: socket.socket,
    states: WorkerStates,
    report: Connection,
) -> None:
    """Serve until a signal ends the process.

    Args:
        settings: Settings of the server.
        monitor: Counts of this worker.
        listener: Socket of this worker, which the parent keeps open.
        states: States of all workers.
        report: Receives None when the worker listens, or the error that prevents it.
    """
    try:
        server = load_server(settings, monitor, states)
    except HousectlError as error:
        report.send(error)
        sys.exit(error.status)
    _log.info("worker %d serves %s", os.getpid(), server.champion)
    server.run(listener, owns_listener=False, on_start=lambda: report.send(None))


def _exit(*_: object) -> NoReturn:
    sys.exit(ExitStatus.OK)
