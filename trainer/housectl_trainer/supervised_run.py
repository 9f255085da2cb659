"""A command in a pod: one process works, another watches it and tells how it ended.

The watcher trains nothing. So it is still there when the kernel kills the worker for its memory,
when a library crashes, or when one holds the interpreter's lock beyond the deadline.
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

# As timeout(1) ends, and what a shell adds to the number of a signal.
TIMED_OUT = 124
_SIGNALLED = 128

_SECONDS_BETWEEN = 1.0
_STDERR = 2
_CHUNK = 65536
_LOG_TAIL = 4096


@dataclass(frozen=True, kw_only=True)
class SupervisionOptions:
    """What a pod asks of a command besides its work.

    Attributes:
        at_least: Seconds that the process lives even if its work is done: Katib's sidecar looks for
            it only once, and fails the pod when it is too late.
        deadline: Seconds after which it ends itself; Kubernetes would take its log away.
        last_words: Files that get its last words every second.
    """

    min_runtime: float = 0.0
    deadline: float = math.inf
    termination_report: Sequence[Path] = ()


def run_supervised(work: Callable[[], None], terms: SupervisionOptions) -> int:
    """Do the work in a process of its own, under a pod's terms, and return the exit status."""
    started = time.monotonic()
    # Without a handler the kernel ignores this signal where the watcher is process 1.
    signal.signal(signal.SIGTERM, _leave)
    files = tuple(_writable(terms.termination_report))
    with _worker(work) as worker:
        in_time = _watch(worker, files, until=started + terms.deadline)
    ending = worker.ending() if in_time else _timed_out(terms.deadline)
    if ending.error and worker.last_line != f"error: {ending.error}":
        print(f"error: {ending.error}", file=sys.stderr, flush=True)
    _write(files, TerminationReport(peak=worker.peak(), error=ending.error))
    time.sleep(max(0.0, started + terms.min_runtime - time.monotonic()))
    return ending.status


@dataclass(frozen=True)
class _Ending:
    """How a command ended: its exit status, and why it failed, in one line."""

    status: int
    error: str | None = None


def _timed_out(deadline: float) -> _Ending:
    return _Ending(TIMED_OUT, f"timed out after {deadline:g} s")


class _Worker:
    """The process that works. Its stderr passes through here: the last line tells why it failed.

    Args:
        process: It was started; its children end with it.
        stderr: What all of them write to, so that it ends with the last of them.
    """

    def __init__(self, process: ForkProcess, stderr: int) -> None:
        self._process = process
        self._stderr = stderr
        self._tail = b""
        self._peak: int | None = None
        self._gone = False

    @property
    def last_line(self) -> str:
        """The last line of stderr that is not empty."""
        lines = self._tail.decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def ends_within(self, seconds: float) -> bool:
        """Pass stderr on for so long; tell whether the worker and its children ended."""
        until = time.monotonic() + seconds
        while not self._gone and wait([self._stderr], max(0.0, until - time.monotonic())):
            chunk = os.read(self._stderr, _CHUNK)
            os.write(_STDERR, chunk)
            self._tail = (self._tail + chunk)[-_LOG_TAIL:]
            self._gone = not chunk
        return self._gone

    def end(self) -> None:
        """Kill what has not ended by itself."""
        if not self._gone:
            self._process.kill()
            self.ends_within(_SECONDS_BETWEEN)
        self._process.join()

    def ending(self) -> _Ending:
        """Return how a worker ended that was not killed here."""
        status = self._process.exitcode or ExitStatus.OK
        if status == ExitStatus.OK:
            return _Ending(status)
        last = self.last_line.removeprefix("error: ")
        error = abnormal_exit_reason(status, last) or last or f"exited {status}"
        return _Ending(status if status > 0 else _SIGNALLED - status, error)

    def peak(self) -> int | None:
        """Return the most memory that was seen to be used so far, in bytes."""
        found = peak_memory(self._process.pid or 0)
        self._peak = max(found or 0, self._peak or 0) or None
        return self._peak


@contextmanager
def _worker(work: Callable[[], None]) -> Iterator[_Worker]:
    """Start a process that does the work; it has ended when the block has."""
    reader, writer = os.pipe()
    process = get_context("fork").Process(target=_work, args=(work, writer))
    process.start()
    os.close(writer)
    worker = _Worker(process, reader)
    try:
        yield worker
    finally:
        worker.end()


def _work(work: Callable[[], None], stderr: int) -> NoReturn:
    """Be the worker."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Ctrl-C reaches the watcher too, which kills.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    os.dup2(stderr, _STDERR)
    os.close(stderr)
    sys.exit(run_and_report(work))


def _watch(worker: _Worker, files: Sequence[Path], *, until: float) -> bool:
    """Write last words every second; tell whether the worker ended in time."""
    while (left := until - time.monotonic()) > 0:
        _write(files, TerminationReport(peak=worker.peak()))
        if worker.ends_within(min(_SECONDS_BETWEEN, left)):
            return True
    return False


def _writable(files: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that can be written; no training should fail for the others."""
    for path in files:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            TerminationReport().rewrite(path)
        except OSError as error:
            print(f"no last words: {error}", file=sys.stderr, flush=True)
        else:
            yield path


def _write(files: Sequence[Path], words: TerminationReport) -> None:
    for path in files:
        with suppress(OSError):
            words.rewrite(path)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(_SIGNALLED + number)
