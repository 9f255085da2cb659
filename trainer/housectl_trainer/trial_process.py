"""A worker of the pool: a forked process that runs one step of a trial after the other.

The process ends with the first step that fails, so lack of memory or a crash has no after-effects.
A process for each step would add 5 % to a short trial's time, for allocating its memory.
"""

import os
import resource
import sys
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path

from housectl.contract.families import Family
from housectl.contract.pool_protocol import Step, TrialRequest
from housectl.contract.record import canonical_json
from housectl_trainer.data import TrainingData
from housectl_trainer.exit_codes import run_and_report
from housectl_trainer.parent_watchdog import die_with_parent
from housectl_trainer.trial import fit_trial, measure_trial

_STDOUT, _STDERR = 1, 2


class TrialProcess:
    """The parent's side of a worker.

    Args:
        data: The data of all trials.
        families: The families whose libraries this process has imported.

    Attributes:
        pipe: Readable when a step has ended.
    """

    def __init__(self, data: TrainingData, *, families: frozenset[Family]) -> None:
        self.families = families
        self.pipe, worker_end = Pipe()
        self._process = get_context("fork").Process(
            target=_run_steps, args=(worker_end, data), daemon=True
        )
        self._process.start()
        # Without this, the pipe would stay open when the process ends.
        worker_end.close()

    @property
    def alive(self) -> bool:
        """True if the process can run another step."""
        return self._process.is_alive()

    def start_step(self, request: TrialRequest) -> None:
        """Start a step."""
        self.pipe.send_bytes(canonical_json(request))

    def finish_step(self) -> int:
        """Return 0, or the exit status of the process if the step has ended it."""
        try:
            self.pipe.recv_bytes()
        except (EOFError, ConnectionResetError):
            self._process.join()
            return self._process.exitcode or 0
        return 0

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()


def _run_steps(pipe: Connection, data: TrainingData) -> None:
    die_with_parent()
    base_memory = _address_space()
    while True:
        request = TrialRequest.from_json(pipe.recv_bytes())
        _log_to(Path(request.log))
        _limit_memory(base_memory, request.memory)
        _run_step(request, data)
        pipe.send_bytes(b"done")


def _run_step(request: TrialRequest, data: TrainingData) -> None:
    """Run a step; end the process with the exit status if the step fails."""

    def work() -> None:
        family, assignment, output = request.family, request.assignment, Path(request.output)
        match request.step:
            case Step.MEASURE:
                measure_trial(data, family, assignment, output=output, rival=request.rival)
            case Step.FIT:
                fit_trial(data, family, assignment, output=output)

    if status := run_and_report(work):
        sys.exit(status)


def _log_to(path: Path) -> None:
    with path.open("ab") as log:
        os.dup2(log.fileno(), _STDOUT)
        os.dup2(log.fileno(), _STDERR)


def _limit_memory(base_memory: int, size: int | None) -> None:
    """Limit this process to `size` bytes above `base_memory`; only Linux supports the limit."""
    if sys.platform == "linux":
        _, hard_limit = resource.getrlimit(resource.RLIMIT_AS)
        limit = hard_limit if size is None else base_memory + size
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard_limit))


def _address_space() -> int:
    """Return the size of this process's address space in bytes; 0 if it is not Linux."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
