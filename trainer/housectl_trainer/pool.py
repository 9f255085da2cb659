"""The pool: forks workers for trials, so that imports and data are loaded only once.

The parent imports the training libraries but runs none of their code, and never imports
onnxruntime: a fork deadlocks after XGBoost ran two threads.
"""

import gc
import math
import os
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from msgspec import UNSET

from housectl.contract.families import Family
from housectl.contract.pool_protocol import TrialRequest, TrialResult
from housectl.contract.record import MalformedRecordError, canonical_json
from housectl.contract.trial_output import read_trial_output
from housectl.errors import BundleError, UsageError
from housectl_trainer.data import TrainingData
from housectl_trainer.exit_codes import abnormal_exit_reason
from housectl_trainer.model_family import load_family
from housectl_trainer.trial_process import TrialProcess

_STDIN, _STDOUT = 0, 1
_CHUNK = 65536
_LOG_TAIL_BYTES = 4096


@dataclass(frozen=True)
class _RunningStep:
    """A step that a worker runs; `deadline` is in seconds of the monotonic clock."""

    request: TrialRequest
    worker: TrialProcess
    deadline: float


class Pool:
    """Runs requested steps at once, each in a fork of this process.

    Args:
        data: The data of all trials.
    """

    def __init__(self, data: TrainingData) -> None:
        self._data = data
        self._running: dict[Connection, _RunningStep] = {}
        self._idle: list[TrialProcess] = []
        self._unread = b""
        self._families: frozenset[Family] = frozenset()

    def serve(self) -> None:
        """Read requests from stdin and write results to stdout, until stdin is closed.

        Raises:
            UsageError: A line is not a request.
        """
        try:
            while self._handle_events():
                pass
        finally:
            for worker in (*self._idle, *(step.worker for step in self._running.values())):
                worker.kill()

    def _handle_events(self) -> bool:
        """Wait for requests, ended steps or a deadline; return False when stdin is closed."""
        ready = wait([_STDIN, *self._running], self._seconds_to_deadline())
        for pipe in self._running.keys() & set(ready):
            self._finish(self._running.pop(pipe))
        for step in self._running.values():
            if step.deadline <= time.monotonic():
                step.worker.kill()
        return _STDIN not in ready or self._read_requests()

    def _seconds_to_deadline(self) -> float | None:
        deadline = min((step.deadline for step in self._running.values()), default=math.inf)
        return None if deadline == math.inf else max(0.0, deadline - time.monotonic())

    def _read_requests(self) -> bool:
        chunk = os.read(_STDIN, _CHUNK)
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines:
            self._start(_parse_request(line))
        return bool(chunk)

    def _start(self, request: TrialRequest) -> None:
        # Workers inherit the imported libraries; each would need memory of its own to import them.
        load_family(request.family)
        self._families |= {request.family}
        worker = self._idle_or_new_worker(request.family)
        worker.start_step(request)
        seconds = math.inf if request.seconds is None else request.seconds
        self._running[worker.pipe] = _RunningStep(request, worker, time.monotonic() + seconds)

    def _idle_or_new_worker(self, family: Family) -> TrialProcess:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive and family in worker.families:
                return worker
            worker.kill()
        gc.freeze()
        return TrialProcess(self._data, families=self._families)

    def _finish(self, step: _RunningStep) -> None:
        status = step.worker.finish_step()
        if status == 0:
            self._idle.append(step.worker)
        _write(_result(step, status))


def _parse_request(line: bytes) -> TrialRequest:
    try:
        return TrialRequest.from_json(line)
    except MalformedRecordError as error:
        raise UsageError(
            f"The pool received an invalid request: {error}.",
            hint="housectl tune   # starts a pool and sends its requests",
        ) from error


def _result(step: _RunningStep, status: int) -> TrialResult:
    number = step.request.number
    if status != 0:
        return TrialResult(number=number, cause=_cause(step, status))
    try:
        metrics = read_trial_output(Path(step.request.output)).metrics
    except BundleError:
        return TrialResult(number=number, cause="no metric")
    return TrialResult(
        number=number,
        mse=metrics.mse,
        fold_mses=metrics.fold_mses,
        pruned_after=None if metrics.pruned_after is UNSET else metrics.pruned_after,
    )


def _cause(step: _RunningStep, status: int) -> str:
    """Return the cause of a failed step, from the worker's exit status and the trial's log."""
    if status == -signal.SIGKILL and step.deadline <= time.monotonic():
        return "timed out"
    last_line = _last_line(Path(step.request.log))
    return abnormal_exit_reason(status, last_line) or f"exited {status}: {last_line}"


def _last_line(path: Path) -> str:
    """Return the last line of a log that is not empty."""
    try:
        lines = path.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").split("\n")
    except OSError as error:
        return f"no log, {error.strerror}"
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _write(result: TrialResult) -> None:
    os.write(_STDOUT, canonical_json(result) + b"\n")
