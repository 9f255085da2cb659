"""A worker of the pool: a forked process that does one step of a trial after the other.

It ends with the first step that fails, so that want of memory or a crash leaves nothing behind. A
process for each step would spend a twentieth of a short trial's time on getting its memory.
"""

import os
import resource
import sys
from functools import partial
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path

from housectl.contract.pool_protocol import Step, TrialRequest
from housectl.contract.record import canonical_json
from housectl_trainer.data import Dataset
from housectl_trainer.exit_codes import run_and_report
from housectl_trainer.parent_watchdog import die_with_parent
from housectl_trainer.trial import fit_trial, measure_trial

_STDOUT, _STDERR = 1, 2
_STEPS = {Step.MEASURE: measure_trial, Step.FIT: fit_trial}


class Worker:
    """The parent's side of a worker.

    Args:
        dataset: What all trials learn from.

    Attributes:
        pipe: Has something to read when a step has ended.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.pipe, theirs = Pipe()
        self._process = get_context("fork").Process(
            target=_work, args=(theirs, dataset), daemon=True
        )
        self._process.start()
        # Nobody else holds this end, so the process closes the pipe when it ends.
        theirs.close()

    @property
    def alive(self) -> bool:
        """Whether it can do another step."""
        return self._process.is_alive()

    def begin(self, request: TrialRequest) -> None:
        """Let it do a step."""
        self.pipe.send_bytes(canonical_json(request))

    def end(self) -> int:
        """Return how the step ended: 0, or the exit status of the process, which it has ended."""
        try:
            self.pipe.recv_bytes()
        except (EOFError, ConnectionResetError):
            self._process.join()
            return self._process.exitcode or 0
        return 0

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def _work(pipe: Connection, dataset: Dataset) -> None:
    die_with_parent()
    at_first = _memory()
    while True:
        request = TrialRequest.from_json(pipe.recv_bytes())
        _log_to(Path(request.log))
        _limit_memory(at_first, request.memory)
        _do(request, dataset)
        pipe.send_bytes(b"done")


def _do(request: TrialRequest, dataset: Dataset) -> None:
    """Do a step; one that fails ends the process with its exit status."""
    step = _STEPS[request.step]
    output = Path(request.output)
    status = run_and_report(
        partial(step, dataset, request.family, request.assignment, output=output)
    )
    if status:
        sys.exit(status)


def _log_to(path: Path) -> None:
    with path.open("ab") as log:
        os.dup2(log.fileno(), _STDOUT)
        os.dup2(log.fileno(), _STDERR)


def _limit_memory(at_first: int, size: int | None) -> None:
    """Let this process have `size` bytes more than it had at first; only Linux counts them."""
    if sys.platform == "linux":
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        limit = most if size is None else at_first + size
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def _memory() -> int:
    """Return the bytes of address space that this process has; 0 where nobody counts them."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
