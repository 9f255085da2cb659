"""Supervision of a trainer command in a pod: a worker process works, this process watches it.

The watching process trains nothing. So it survives when the kernel kills the worker for lack of
memory, when a library crashes, or when one holds the interpreter's lock beyond the deadline.
"""

import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import FrameType
from typing import NoReturn

from housectl.contract.termination_report import TerminationReport
from housectl.errors import ExitStatus
from housectl_trainer.exit_codes import abnormal_exit_reason, run_and_report
from housectl_trainer.parent_watchdog import die_with_parent
from housectl_trainer.peak_memory import peak_memory

# The exit status of timeout(1), and the number that shells add to the number of a signal.
TIMED_OUT = 124
_SIGNAL_BASE = 128

_REPORT_INTERVAL_SECONDS = 1.0
_STDERR = 2
_CHUNK_BYTES = 65536
_LOG_TAIL_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class SupervisionOptions:
    """Requirements of a pod on the process.

    Attributes:
        min_runtime: Seconds that the process runs even if its work is done: Katib's sidecar looks
            for the process only once, and fails the pod if the process is gone.
        deadline: Seconds after which the process ends itself; Kubernetes would delete its log.
        termination_report: Files that get a termination report every second.
    """

    min_runtime: float = 0.0
    deadline: float = math.inf
    termination_report: Sequence[Path] = ()


def run_supervised(work: Callable[[], None], options: SupervisionOptions) -> int:
    """Run the work in a process of its own, and return the exit status."""
    started = time.monotonic()
    # Without a handler, the kernel ignores this signal if this is process 1.
    signal.signal(signal.SIGTERM, _exit_on_signal)
    files = tuple(_writable(options.termination_report))
    with _worker(work) as worker:
        in_time = _watch(worker, files, until=started + options.deadline)
    outcome = worker.outcome() if in_time else _timed_out(options.deadline)
    if outcome.error and worker.last_line != f"error: {outcome.error}":
        print(f"error: {outcome.error}", file=sys.stderr, flush=True)
    _write(files, TerminationReport(peak=worker.peak(), error=outcome.error))
    time.sleep(max(0.0, started + options.min_runtime - time.monotonic()))
    return outcome.status


@dataclass(frozen=True)
class _Outcome:
    """The outcome of a command: its exit status, and its error in one line."""

    status: int
    error: str | None = None


def _timed_out(deadline: float) -> _Outcome:
    return _Outcome(TIMED_OUT, f"timed out after {deadline:g} s")


class _Worker:
    """The process that runs the work. Its stderr is forwarded and its last lines are kept.

    Args:
        process: The started process; its children end with it.
        stderr: Pipe that the process and its children write to; it closes with the last of them.
    """

    def __init__(self, process: ForkProcess, stderr: int) -> None:
        self._process = process
        self._stderr = stderr
        self._tail = b""
        self._peak: int | None = None
        self._ended = False

    @property
    def last_line(self) -> str:
        """The last line of stderr that is not empty."""
        lines = self._tail.decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def ends_within(self, seconds: float) -> bool:
        """Forward stderr for this time; return True if the worker and its children ended."""
        until = time.monotonic() + seconds
        while not self._ended and wait([self._stderr], max(0.0, until - time.monotonic())):
            chunk = os.read(self._stderr, _CHUNK_BYTES)
            os.write(_STDERR, chunk)
            self._tail = (self._tail + chunk)[-_LOG_TAIL_BYTES:]
            self._ended = not chunk
        return self._ended

    def end(self) -> None:
        """Kill the process if it has not ended."""
        if not self._ended:
            self._process.kill()
            self.ends_within(_REPORT_INTERVAL_SECONDS)
        self._process.join()

    def outcome(self) -> _Outcome:
        """Return the outcome of an ended worker that `end` did not kill."""
        status = self._process.exitcode or ExitStatus.OK
        if status == ExitStatus.OK:
            return _Outcome(status)
        last_line = self.last_line.removeprefix("error: ")
        error = abnormal_exit_reason(status, last_line) or last_line or f"exited {status}"
        return _Outcome(status if status > 0 else _SIGNAL_BASE - status, error)

    def peak(self) -> int | None:
        """Return the peak memory so far, in bytes."""
        current = peak_memory(self._process.pid or 0)
        self._peak = max(current or 0, self._peak or 0) or None
        return self._peak


@contextmanager
def _worker(work: Callable[[], None]) -> Iterator[_Worker]:
    """Start a process that runs the work; it ends with the block."""
    reader, writer = os.pipe()
    process = get_context("fork").Process(target=_run_work, args=(work, writer))
    process.start()
    os.close(writer)
    worker = _Worker(process, reader)
    try:
        yield worker
    finally:
        worker.end()


def _run_work(work: Callable[[], None], stderr: int) -> NoReturn:
    """Run the work in the worker process."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Ctrl-C reaches the watching process too, which kills the worker.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    os.dup2(stderr, _STDERR)
    os.close(stderr)
    sys.exit(run_and_report(work))


def _watch(worker: _Worker, files: Sequence[Path], *, until: float) -> bool:
    """Write a report every second; return True if the worker ended in time."""
    while (seconds_left := until - time.monotonic()) > 0:
        _write(files, TerminationReport(peak=worker.peak()))
        if worker.ends_within(min(_REPORT_INTERVAL_SECONDS, seconds_left)):
            return True
    return False


def _writable(files: Sequence[Path]) -> Iterator[Path]:
    """Yield the writable files; the others must not make the training fail."""
    for path in files:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            TerminationReport().rewrite(path)
        except OSError as error:
            print(f"no termination report: {error}", file=sys.stderr, flush=True)
        else:
            yield path


def _write(files: Sequence[Path], report: TerminationReport) -> None:
    for path in files:
        with suppress(OSError):
            report.rewrite(path)


def _exit_on_signal(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(_SIGNAL_BASE + number)
