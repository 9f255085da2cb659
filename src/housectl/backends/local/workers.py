"""The workers of a search: the trainer's pool, replaced when it dies."""

from pathlib import Path

from housectl.backends.local.plan import pool_arguments
from housectl.backends.local.run_directory import RunDirectory
from housectl.backends.local.trainer_process import PoolCrashedError, TrainerPool
from housectl.contract.pool_protocol import TrialRequest, TrialResult
from housectl.errors import LocalEnvironmentError

_MAX_DEATHS = 3


class Workers:
    """Do what is asked of them, whatever happens to the pool.

    Args:
        run: The run directory, whose lock this process holds.
        inputs: The inputs directory.
    """

    def __init__(self, run: RunDirectory, inputs: Path) -> None:
        self._run = run
        self._inputs = inputs
        self._asked: dict[int, TrialRequest] = {}
        self._deaths = 0
        self._pool = self._new_pool()

    @property
    def busy(self) -> int:
        """How many workers have something to do."""
        return len(self._asked)

    def submit(self, request: TrialRequest) -> None:
        """Give a worker something to do; one thing at a time for each trial."""
        self._asked[request.number] = request
        self._pool.send(request)

    def next_result(self) -> TrialResult:
        """Wait until any of them is ready.

        Raises:
            TaskFailedError: The trainer refused its inputs.
            MachineError: The pool dies again and again.
        """
        while True:
            try:
                answer = self._pool.next_result()
            except PoolCrashedError as error:
                self._replace_pool(str(error))
            else:
                self._deaths = 0
                del self._asked[answer.number]
                return answer

    def close(self) -> None:
        """End them and what they do. Idempotent."""
        self._pool.kill()

    def _replace_pool(self, manner: str) -> None:
        self._deaths += 1
        if self._deaths == _MAX_DEATHS:
            raise LocalEnvironmentError(
                f"The trainer's pool {manner}, {_MAX_DEATHS} times in a row.",
                hint=f"housectl tune --resume {self._run.name}   # when there is more memory",
            )
        self._pool = self._new_pool()
        for request in self._asked.values():
            self._pool.send(request)

    def _new_pool(self) -> TrainerPool:
        self._run.remove_leftovers()
        return TrainerPool(pool_arguments(str(self._inputs)), self._run.log(None))
