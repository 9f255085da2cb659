"""Running sealing tasks on any backend.

Two commands may seal the same at the same time. They share one task. What it made is kept first,
and then the task is deleted: who finds it gone finds in the store what it made.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from housectl.backends.base import Backend, Handle, Task
from housectl.contract.bundle import BundleRecord
from housectl.contract.files import temp_directory_in
from housectl.contract.inputs import Inputs
from housectl.contract.sealed import Sealed, read_sealed
from housectl.errors import (
    AlreadyExistsError,
    BundleError,
    ClusterError,
    TaskFailedError,
    UnknownExperimentError,
)
from housectl.experiment import ExperimentState
from housectl.search import ProgressReporter, wait_for_end


@dataclass(frozen=True, kw_only=True)
class TaskRunner:
    """Runs tasks to their end, and brings what they made.

    Attributes:
        scratch: Directory for what is fetched, on a disk with room for a bundle.
    """

    backend: Backend
    progress: ProgressReporter
    temp_root: Path

    @contextmanager
    def run_seal_task(
        self, task: Task, inputs: Inputs, *, image: str | None = None
    ) -> Iterator[Sealed]:
        """Run a sealing task, or go on with the same one, and yield what it made to be kept.

        Args:
            task: What to seal; it is deleted after a block that ends well.
            inputs: What the trainer needs.
            image: The trainer's, where there are containers; None for the backend's own.

        Raises:
            TaskFailedError: The trainer could not seal it.
            UnknownExperimentError: Another command has kept it, and deleted the task.
            BundleError: What it made is damaged, or another recipe's.
        """
        handle = self._submit_or_resume(task, inputs, image)
        self._wait(handle, task)
        sealed = self._download(handle)
        _check_recipe(sealed.bundle.record, task, inputs)
        yield sealed
        self.backend.delete(handle)

    def _submit_or_resume(self, task: Task, inputs: Inputs, image: str | None) -> Handle:
        plan = self.backend.plan(task, inputs=inputs, image=image)
        try:
            handle = self.backend.handle(task.name)
        except UnknownExperimentError:
            with suppress(AlreadyExistsError):
                return self.backend.submit(task, inputs=inputs, image=image)
            handle = self.backend.handle(task.name)
        if str(self.backend.get_plan(handle)) == str(plan):
            self.backend.resume(handle)
            return handle
        self.backend.delete(handle)
        return self._submit_or_resume(task, inputs, image)

    def _wait(self, handle: Handle, task: Task) -> None:
        said = partial(self._last_line, handle)
        snapshot = wait_for_end(
            self.backend, handle, lambda seen: self.progress.on_task(task, seen, said)
        )
        if snapshot.state is not ExperimentState.SUCCEEDED:
            raise TaskFailedError(
                f"{task.name} {snapshot.state}: {snapshot.reason}",
                hint=f"housectl logs {task.name}",
            )

    def _last_line(self, handle: Handle) -> str:
        """Return the last line of a task's log; empty while the cluster cannot tell."""
        last: deque[str] = deque(maxlen=1)
        with suppress(ClusterError):
            last.extend(self.backend.logs(handle, None))
        return last[0] if last else ""

    def _download(self, handle: Handle) -> Sealed:
        with self._unless_deleted(handle), temp_directory_in(self.temp_root) as scratch:
            try:
                return read_sealed(self.backend.fetch(handle, None, scratch / handle.name))
            except BundleError as error:
                raise _invalid_output(handle.name, error.message) from error

    @contextmanager
    def _unless_deleted(self, handle: Handle) -> Iterator[None]:
        """Let an error be that the task is unknown, if another command has just deleted it."""
        try:
            yield
        except (BundleError, ClusterError):
            self.backend.handle(handle.url)
            raise


def _check_recipe(record: BundleRecord, task: Task, inputs: Inputs) -> None:
    shared = inputs.shared
    wanted = shared.recipe(task.family, task.assignment, record.recipe.libraries)
    if (record.schema, record.recipe) != (shared.schema, wanted):
        raise _invalid_output(task.name, f"The output of {task.name} is another recipe's.")


def _invalid_output(task: str, why: str) -> BundleError:
    return BundleError(why, hint=f"housectl delete {task}   # then run the same command again")
