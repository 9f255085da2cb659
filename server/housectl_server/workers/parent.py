"""The parent of several workers: it starts them, replaces ended ones, and drains all at its end.

It opens no store and starts no thread, so that it can fork at any time. It keeps the socket of each
worker open: connections that wait for an ended worker are accepted by the next one.
"""

import logging
import multiprocessing
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from housectl.deadline import Deadline
from housectl.errors import HousectlError, LocalEnvironmentError
from housectl_server.http.sockets import SharedPort
from housectl_server.libraries import import_libraries
from housectl_server.monitoring.monitor import Monitor
from housectl_server.serving import GRACE_SECONDS
from housectl_server.settings import Settings
from housectl_server.worker_states import WorkerStates
from housectl_server.workers.worker import Lifeline, reset_signals, run_worker

_MAX_FAILED_STARTS = 5
_MIN_BACKOFF_SECONDS, _MAX_BACKOFF_SECONDS = 0.1, 5.0
DRAIN_SECONDS = GRACE_SECONDS + 5.0

_log = logging.getLogger(__name__)


def serve_with_workers(settings: Settings, directory: Path) -> None:
    """Serve with several processes until a signal ends this one.

    Args:
        settings: Settings of the server.
        directory: Runtime directory.

    Raises:
        HousectlError: The address cannot be bound, or workers cannot start.
    """
    # The workers share the memory of the libraries.
    import_libraries()
    port = SharedPort(settings.host, settings.port, workers=settings.workers)
    _Parent(settings, port, directory).run()


@dataclass
class _Worker:
    """A worker's process, and the outcomes of its starts.

    Attributes:
        number: Index of the worker.
        process: The process; None between its end and the next start.
        report: Receives the outcome of a start; None after that.
        error: Reason why the process cannot start.
        is_serving: True if the process listens.
        failed_starts: Number of failed starts since the last one that succeeded.
        start_at: Time of the next start, in seconds of the monotonic clock.
    """

    number: int
    process: BaseProcess | None = None
    report: Connection | None = None
    error: HousectlError | None = None
    is_serving: bool = False
    failed_starts: int = 0
    start_at: float = 0.0


class _Parent:
    def __init__(self, settings: Settings, port: SharedPort, directory: Path) -> None:
        self._settings = settings
        self._port = port
        self._directory = directory
        self._states = WorkerStates(directory, count=settings.workers)
        self._lifeline = Lifeline()
        self._workers = [_Worker(number) for number in range(settings.workers)]
        self._is_announced = False
        self._is_stopping = False

    def run(self) -> None:
        """Keep all workers running until a signal.

        Raises:
            HousectlError: No worker can start.
        """
        wake_up, waker = socket.socketpair()
        waker.settimeout(0)
        signal.set_wakeup_fd(waker.fileno())
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_number, self._stop)
        for worker in self._workers:
            self._states.publish_start(worker.number, reason=None)
        try:
            while not self._is_stopping:
                self._start_due_workers()
                self._handle_events(wake_up)
        finally:
            self._drain()

    def _stop(self, *_: object) -> None:
        self._is_stopping = True

    def _start_due_workers(self) -> None:
        for worker in self._workers:
            if worker.process is None and worker.start_at <= time.monotonic():
                self._start(worker)

    def _start(self, worker: _Worker) -> None:
        context = multiprocessing.get_context("fork")
        worker.report, report = context.Pipe(duplex=False)
        worker.process = context.Process(target=self._run_worker, args=(worker.number, report))
        worker.process.start()
        report.close()

    def _run_worker(self, number: int, report: Connection) -> None:
        """Run a worker in its own process."""
        signal.set_wakeup_fd(-1)
        reset_signals()
        if self._is_stopping:  # the signal came before the worker handled it
            return
        self._lifeline.end_with_parent(self._directory)
        monitor = Monitor(self._directory, slot=number)
        states = self._states.of_worker(number)
        run_worker(self._settings, monitor, self._port.keep_only(number), states, report)

    def _handle_events(self, wake_up: socket.socket) -> None:
        """Wait for a signal, the report or the end of a worker, or the time of a start."""
        reports = {each.report: each for each in self._workers if each.report}
        ends = {
            each.process.sentinel: (each, each.process) for each in self._workers if each.process
        }
        ready = wait([wake_up, *reports, *ends], self._seconds_until_start())
        if wake_up in ready:
            wake_up.recv(4096)
        for report, worker in reports.items():
            if report in ready:
                self._read_report(worker, report)
        for sentinel, (worker, process) in ends.items():
            if sentinel in ready:
                self._on_end(worker, process)

    def _seconds_until_start(self) -> float | None:
        starts = [each.start_at for each in self._workers if not each.process]
        return max(0.0, min(starts) - time.monotonic()) if starts else None

    def _read_report(self, worker: _Worker, report: Connection) -> None:
        worker.report = None
        with report, suppress(EOFError):  # a process that is killed reports nothing
            worker.error = report.recv()
            if worker.error is None:
                worker.is_serving, worker.failed_starts = True, 0
        if not self._is_announced and all(each.is_serving for each in self._workers):
            self._is_announced = True
            _log.info("listening on %s with %d workers", self._port.url, len(self._workers))

    def _on_end(self, worker: _Worker, process: BaseProcess) -> None:
        process.join()
        end = _end_of(process)
        worker.process, worker.start_at = None, time.monotonic()
        if worker.is_serving:
            worker.is_serving = False
            self._states.publish_start(worker.number, reason=None)
            _log.warning("%s; another one starts", end)
        elif not self._is_stopping:
            self._on_failed_start(worker, worker.error or _crash_error(end))

    def _on_failed_start(self, worker: _Worker, error: HousectlError) -> None:
        """Try again later, or give up if no worker can start."""
        worker.failed_starts += 1
        limit = _MAX_FAILED_STARTS if self._is_announced else 1
        if min(each.failed_starts for each in self._workers) >= limit:
            raise error
        reason = f"{error.message} Hint: {error.hint}"
        self._states.publish_start(worker.number, reason=reason)
        _log.warning("a worker cannot start: %s", reason)
        # Until a worker serves again, its connections would wait for it.
        self._port.renew(worker.number)
        backoff = _MIN_BACKOFF_SECONDS * 2 ** (worker.failed_starts - 1)
        worker.start_at += min(backoff, _MAX_BACKOFF_SECONDS)

    def _drain(self) -> None:
        """End all workers; each answers the requests that have arrived."""
        self._port.close()
        processes = [each.process for each in self._workers if each.process]
        for process in processes:
            process.terminate()
        deadline = Deadline.after(DRAIN_SECONDS)
        for process in processes:
            process.join(deadline.remaining())
            process.kill()
            process.join()


def _end_of(process: BaseProcess) -> str:
    code = process.exitcode or 0
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
    return f"worker {process.pid} ended {how}"


def _crash_error(end: str) -> HousectlError:
    return LocalEnvironmentError(
        f"The server's workers cannot start: {end}.",
        hint="housectl serve --workers 1   # shows the failure of a single process",
    )
