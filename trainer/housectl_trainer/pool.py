"""The pool: forks workers for trials, so that imports and data are paid for only once.

The parent imports the training libraries that it needs but runs nothing of them, and never imports
onnxruntime: a fork after XGBoost ran two threads deadlocks.
"""

import gc
import math
import os
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from housectl.contract.pool_protocol import TrialRequest, TrialResult
from housectl.contract.record import MalformedRecordError, canonical_json
from housectl.contract.trial_output import read_trial_output
from housectl.errors import BundleError, UsageError
from housectl_trainer.data import Dataset
from housectl_trainer.exit_codes import abnormal_exit_reason
from housectl_trainer.model_family import load_family
from housectl_trainer.worker import Worker

_STDIN, _STDOUT = 0, 1
_CHUNK = 65536
_LOG_TAIL = 4096


@dataclass(frozen=True)
class _Running:
    """A step that a worker does; `deadline` is in seconds of the monotonic clock."""

    request: TrialRequest
    worker: Worker
    deadline: float


class Pool:
    """Answers requests for trials, each as soon as it comes, in forks of this process.

    Args:
        dataset: What all trials learn from.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._running: dict[Connection, _Running] = {}
        self._idle: list[Worker] = []
        self._unread = b""

    def serve(self) -> None:
        """Read requests from stdin and write answers to stdout, until stdin is closed.

        Raises:
            UsageError: A line is no request.
        """
        try:
            while self._step():
                pass
        finally:
            for worker in (*self._idle, *(trial.worker for trial in self._running.values())):
                worker.kill()

    def _step(self) -> bool:
        """Wait until something happens, and handle it; tell whether to go on."""
        ready = wait([_STDIN, *self._running], self._patience())
        for pipe in self._running.keys() & set(ready):
            self._finish(self._running.pop(pipe))
        for trial in self._running.values():
            if trial.deadline <= time.monotonic():
                trial.worker.kill()
        return _STDIN not in ready or self._read()

    def _patience(self) -> float | None:
        deadline = min((trial.deadline for trial in self._running.values()), default=math.inf)
        return None if deadline == math.inf else max(0.0, deadline - time.monotonic())

    def _read(self) -> bool:
        chunk = os.read(_STDIN, _CHUNK)
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines:
            self._start(_request(line))
        return bool(chunk)

    def _start(self, request: TrialRequest) -> None:
        # The first trial of a family imports its library for all that follow.
        load_family(request.family)
        worker = self._free_worker()
        worker.begin(request)
        seconds = math.inf if request.seconds is None else request.seconds
        self._running[worker.pipe] = _Running(request, worker, time.monotonic() + seconds)

    def _free_worker(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
        gc.freeze()
        return Worker(self._dataset)

    def _finish(self, trial: _Running) -> None:
        status = trial.worker.end()
        if status == 0:
            self._idle.append(trial.worker)
        _write(_answer(trial, status))


def _request(line: bytes) -> TrialRequest:
    try:
        return TrialRequest.from_json(line)
    except MalformedRecordError as error:
        raise UsageError(
            f"The pool was sent a line that is no request: {error}.",
            hint="housectl tune   # speaks to the pool; it is not for typing",
        ) from error


def _answer(trial: _Running, status: int) -> TrialResult:
    number = trial.request.number
    if status != 0:
        return TrialResult(number=number, cause=_cause(trial, status))
    mse = _objective(Path(trial.request.output))
    return TrialResult(number=number, mse=mse, cause="no metric" if mse is None else None)


def _cause(trial: _Running, status: int) -> str:
    """Return why a trial failed, from its worker's exit status and its log."""
    if status == -signal.SIGKILL and trial.deadline <= time.monotonic():
        return "timed out"
    last = _log_tail(Path(trial.request.log))
    return abnormal_exit_reason(status, last) or f"exited {status}: {last}"


def _log_tail(path: Path) -> str:
    """Return the last line of a log that is not empty."""
    try:
        lines = path.read_bytes()[-_LOG_TAIL:].decode(errors="replace").split("\n")
    except OSError as error:
        return f"no log, {error.strerror}"
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _objective(output: Path) -> float | None:
    try:
        return read_trial_output(output).metrics.mse
    except BundleError:
        return None


def _write(answer: TrialResult) -> None:
    os.write(_STDOUT, canonical_json(answer) + b"\n")
