"""The pool: a fork server for trials, which pays for imports and data only once.

The parent imports the training libraries that it needs but runs nothing of them, and never imports
onnxruntime: a fork after XGBoost ran two threads deadlocks.
"""

import gc
import math
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path

from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.pooling import Step, TrialAnswer, TrialRequest
from housectl.contract.record import MalformedRecordError, canonical_json
from housectl.errors import UsageError
from trainer.data import Dataset
from trainer.families import kind_of
from trainer.lifeline import die_with_parent
from trainer.outcome import exit_status, sudden_end
from trainer.trial import fit_trial, measure_trial

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_CHUNK = 65536
_LOG_TAIL = 4096
_STEPS = {Step.MEASURE: measure_trial, Step.FIT: fit_trial}


@dataclass(frozen=True)
class _Running:
    """A trial in its process; `deadline` is in seconds of the monotonic clock."""

    request: TrialRequest
    process: ForkProcess
    deadline: float


class Pool:
    """Answers requests for trials, each in a fork of its own.

    Args:
        dataset: What all trials learn from.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._running: dict[int, _Running] = {}
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
            for trial in self._running.values():
                trial.process.kill()

    def _step(self) -> bool:
        """Wait until something happens, and handle it; tell whether to go on."""
        ready = wait([_STDIN, *self._running], self._patience())
        for sentinel in self._running.keys() & set(ready):
            _write(_answer(self._running.pop(sentinel)))
        for trial in self._running.values():
            if trial.deadline <= time.monotonic():
                trial.process.kill()
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
        kind_of(request.family)
        gc.freeze()
        process = get_context("fork").Process(
            target=_run, args=(request, self._dataset), daemon=True
        )
        process.start()
        seconds = math.inf if request.seconds is None else request.seconds
        self._running[process.sentinel] = _Running(request, process, time.monotonic() + seconds)


def _request(line: bytes) -> TrialRequest:
    try:
        return TrialRequest.from_json(line)
    except MalformedRecordError as error:
        raise UsageError(
            f"The pool was sent a line that is no request: {error}.",
            hint="housectl tune   # speaks to the pool; it is not for typing",
        ) from error


def _run(request: TrialRequest, dataset: Dataset) -> None:
    """Do one step of a trial in a forked process, and end it with the trial's exit status."""
    die_with_parent()
    _log_to(Path(request.log))
    if request.memory is not None:
        _limit_memory(request.memory)
    sys.exit(
        exit_status(
            partial(
                _STEPS[request.step],
                dataset,
                request.family,
                request.assignment,
                output=Path(request.output),
            )
        )
    )


def _log_to(path: Path) -> None:
    with path.open("ab") as log:
        os.dup2(log.fileno(), _STDOUT)
        os.dup2(log.fileno(), _STDERR)


def _limit_memory(size: int) -> None:
    """Let this process have `size` bytes more than the pool gave it; only Linux counts them."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + size
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _answer(trial: _Running) -> TrialAnswer:
    number = trial.request.number
    cause = _cause(trial)
    if cause is not None:
        return TrialAnswer(number=number, cause=cause)
    mse = _objective(Path(trial.request.output))
    return TrialAnswer(number=number, mse=mse, cause="no metric" if mse is None else None)


def _cause(trial: _Running) -> str | None:
    """Return why a trial failed, from its exit status and its log."""
    trial.process.join()
    status = trial.process.exitcode or 0
    if status == 0:
        return None
    if status == -signal.SIGKILL and trial.deadline <= time.monotonic():
        return "timed out"
    last = _log_tail(Path(trial.request.log))
    return sudden_end(status, last) or f"exited {status}: {last}"


def _log_tail(path: Path) -> str:
    """Return the last line of a log that is not empty."""
    try:
        lines = path.read_bytes()[-_LOG_TAIL:].decode(errors="replace").split("\n")
    except OSError as error:
        return f"no log, {error.strerror}"
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _objective(output: Path) -> float | None:
    try:
        return Metrics.from_json((output / METRICS_FILE).read_bytes()).mse
    except (OSError, MalformedRecordError):
        return None


def _write(answer: TrialAnswer) -> None:
    os.write(_STDOUT, canonical_json(answer) + b"\n")
