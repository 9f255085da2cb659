"""Running sealing tasks on any backend.

Two commands that seal the same recipe at the same time share one task. Its output is stored before
the task is deleted: a command that finds the task deleted finds its output in the store.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from msgspec import structs

from housectl.backends.base import Backend, Handle, Snapshot, Task
from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import BundleRecord
from housectl.contract.files import temp_directory_in
from housectl.contract.inputs import Inputs
from housectl.contract.seal_output import SealOutput, read_sealed
from housectl.errors import (
    AlreadyExistsError,
    BundleError,
    ClusterError,
    TaskFailedError,
    UnknownExperimentError,
)
from housectl.experiment import ExperimentState
from housectl.waiting import ProgressReporter, wait_for_end


@dataclass(frozen=True, kw_only=True)
class SealTaskRunner:
    """Runs tasks to their end, and downloads their output.

    Attributes:
        temp_root: Directory for downloads, on a disk with space for a bundle.
    """

    backend: Backend
    progress: ProgressReporter
    temp_root: Path

    @contextmanager
    def run_seal_task(
        self, task: Task, inputs: Inputs, *, image: str | None = None
    ) -> Iterator[SealOutput]:
        """Run a sealing task, or resume the same one, and yield its output for storage.

        Args:
            task: Task to run; it is deleted if the block succeeds.
            inputs: Inputs of the trainer.
            image: The trainer's image on a cluster; None for the backend's default.

        Raises:
            TaskFailedError: The trainer failed.
            UnknownExperimentError: Another command has stored the output and deleted the task.
            BundleError: The output is damaged, or has another recipe.
        """
        handle = self._submit_or_resume(task, inputs, image)
        self._wait(handle, task)
        sealed = self._download(handle)
        _check_recipe(sealed.bundle.record, task, inputs)
        digest = self.backend.image_digest(handle)
        yield replace(sealed, bundle=_with_image_digest(sealed.bundle, digest))
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
        last_log_line = partial(self._last_log_line, handle)

        def report(snapshot: Snapshot) -> None:
            self.progress.on_task(task, snapshot, last_log_line)

        snapshot = wait_for_end(self.backend, handle, report)
        if snapshot.state is not ExperimentState.SUCCEEDED:
            raise TaskFailedError(
                f"The task {task.name} {snapshot.state}: {snapshot.reason}",
                hint=f"housectl logs {task.name}",
            )

    def _last_log_line(self, handle: Handle) -> str:
        """Return the last line of a task's log; empty while the cluster is unavailable."""
        last_line: deque[str] = deque(maxlen=1)
        with suppress(ClusterError):
            last_line.extend(self.backend.logs(handle, None))
        return last_line[0] if last_line else ""

    def _download(self, handle: Handle) -> SealOutput:
        with self._unless_deleted(handle), temp_directory_in(self.temp_root) as directory:
            try:
                return read_sealed(self.backend.fetch(handle, None, directory / handle.name))
            except BundleError as error:
                raise _invalid_output(handle.name, error.message) from error

    @contextmanager
    def _unless_deleted(self, handle: Handle) -> Iterator[None]:
        """Raise UnknownExperimentError instead, if another command has just deleted the task."""
        try:
            yield
        except (BundleError, ClusterError):
            self.backend.handle(handle.url)
            raise


def _with_image_digest(bundle: Bundle, digest: str | None) -> Bundle:
    """Return a bundle whose provenance has the image's digest, which no container knows itself."""
    provenance = structs.replace(bundle.record.provenance, image_digest=digest)
    return replace(bundle, record=structs.replace(bundle.record, provenance=provenance))


def _check_recipe(record: BundleRecord, task: Task, inputs: Inputs) -> None:
    shared = inputs.shared
    recipe = shared.recipe(task.family, task.assignment, record.recipe.libraries)
    if (record.schema, record.recipe) != (shared.schema, recipe):
        raise _invalid_output(
            task.name, f"The output of {task.name} is invalid: it has another recipe."
        )


def _invalid_output(task: str, message: str) -> BundleError:
    return BundleError(message, hint=f"housectl delete {task}   # then rerun the same command")
