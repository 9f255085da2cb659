"""The workers of a search: the trainer's pool, which is restarted when it crashes."""

from collections.abc import Sequence

from housectl.backends.local.run_directory import RunDirectory
from housectl.backends.local.trainer_client import PoolCrashedError, TrainerPool
from housectl.contract.pool_protocol import TrialRequest, TrialResult
from housectl.errors import LocalEnvironmentError

_MAX_CRASHES = 3


class RestartingPool:
    """Workers that run trials, and resubmit unfinished ones when the pool crashes.

    Args:
        run: The run directory, whose lock this process holds.
        arguments: The arguments that make Python run the pool.
    """

    def __init__(self, run: RunDirectory, arguments: Sequence[str]) -> None:
        self._run = run
        self._arguments = arguments
        self._pending: dict[int, TrialRequest] = {}
        self._crashes = 0
        self._pool = self._new_pool()

    @property
    def busy(self) -> int:
        """Number of busy workers."""
        return len(self._pending)

    def submit(self, request: TrialRequest) -> None:
        """Give a request to a worker; a trial may have one pending request."""
        self._pending[request.number] = request
        self._pool.send(request)

    @property
    def has_result(self) -> bool:
        """True if `next_result` does not have to wait."""
        return self._pool.has_result

    def next_result(self) -> TrialResult:
        """Wait until any request is done, and return its result.

        Raises:
            TaskFailedError: The trainer rejected its inputs.
            LocalEnvironmentError: The pool crashes repeatedly.
        """
        while True:
            try:
                result = self._pool.next_result()
            except PoolCrashedError as error:
                self._restart_pool(str(error))
            else:
                self._crashes = 0
                del self._pending[result.number]
                return result

    def close(self) -> None:
        """Stop the workers and their trials. Idempotent."""
        self._pool.kill()

    def _restart_pool(self, exit_description: str) -> None:
        self._crashes += 1
        if self._crashes == _MAX_CRASHES:
            raise LocalEnvironmentError(
                f"The trainer's pool {exit_description}, {_MAX_CRASHES} times in a row.",
                hint=f"housectl tune --resume {self._run.name}   # after freeing memory",
            )
        self._pool = self._new_pool()
        for request in self._pending.values():
            self._pool.send(request)

    def _new_pool(self) -> TrainerPool:
        self._run.remove_temp_files()
        return TrainerPool(self._arguments, self._run.log(None))
