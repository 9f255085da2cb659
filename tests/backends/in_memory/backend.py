"""The smallest backend that fulfils the contract: its runs exist in the memory of one process."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from housectl.backends.base import Handle, Overview, Snapshot, Task, TrainerRecord, Workload
from housectl.backends.messages import (
    already_exists_error,
    select_trials,
    unknown_experiment_error,
)
from housectl.contract.inputs import Inputs
from housectl.errors import BundleError
from housectl.experiment import (
    Experiment,
    ExperimentState,
)

from .run import InMemoryPlan, Run

_SCHEME = "memory://"


@dataclass(frozen=True)
class InMemoryBackend:
    """Runs experiments and tasks in threads of this process."""

    runs: dict[str, Run] = field(default_factory=dict)

    def plan(self, workload: Workload, *, inputs: Inputs, image: str | None) -> InMemoryPlan:
        return InMemoryPlan(workload=workload, inputs=inputs, image=image)

    def submit(self, workload: Workload, *, inputs: Inputs, image: str | None) -> Handle:
        if workload.name in self.runs:
            raise already_exists_error(workload.name)
        run = Run(self.plan(workload, inputs=inputs, image=image))
        self.runs[workload.name] = run
        run.start()
        return _handle_of(workload.name)

    def get_plan(self, handle: Handle) -> InMemoryPlan:
        return self._run(handle).plan

    def get_inputs(self, handle: Handle) -> Inputs:
        return self.get_plan(handle).inputs

    def resume(self, handle: Handle) -> None:
        run = self._run(handle)
        failed_task = run.state is ExperimentState.FAILED and isinstance(run.plan.workload, Task)
        if run.state is ExperimentState.STOPPED or failed_task:
            run.start()

    def handles(self) -> Sequence[Handle]:
        experiments = [
            name for name, run in self.runs.items() if isinstance(run.plan.workload, Experiment)
        ]
        return [_handle_of(name) for name in reversed(experiments)]

    def overviews(self) -> Sequence[tuple[Handle, Overview]]:
        return [(handle, self.observe(handle).overview) for handle in self.handles()]

    def handle(self, name: str) -> Handle:
        handle = _handle_of(name.removeprefix(_SCHEME))
        self._run(handle)
        return handle

    def observe(self, handle: Handle) -> Snapshot:
        return self._run(handle).snapshot()

    def settled(self, handle: Handle) -> None:
        """A snapshot costs as little."""

    def wait(self, handle: Handle, last_snapshot: Snapshot, *, timeout: float) -> None:
        run = self._run(handle)
        with run.changed:
            run.changed.wait_for(lambda: run.snapshot() != last_snapshot, timeout)

    def logs(self, handle: Handle, trial: str | None) -> Iterator[str]:
        run = self._run(handle)
        self._check_trial(handle, trial)
        yield from run.logs.get(trial, ())

    def fetch(self, handle: Handle, trial: str | None, destination: Path) -> Path:
        self._check_trial(handle, trial)
        files = self._run(handle).outputs.get(trial)
        if files is None:
            raise BundleError(f"{handle} has no output of {trial}.", hint="housectl tune")
        for name, content in files.items():
            (destination / name).parent.mkdir(parents=True, exist_ok=True)
            (destination / name).write_bytes(content)
        return destination

    def image_digest(self, handle: Handle) -> None:
        """No containers run."""

    def with_trainer(
        self,
        trainer: TrainerRecord,  # noqa: ARG002
        *,
        report: Callable[[str], None],  # noqa: ARG002
        warn: Callable[[str], None],  # noqa: ARG002
    ) -> "InMemoryBackend":
        return self

    def delete_outputs(self, handle: Handle, trials: Sequence[str]) -> None:
        for trial in trials:
            self._check_trial(handle, trial)
            self._run(handle).outputs.pop(trial, None)

    def stop(self, handle: Handle) -> None:
        self._run(handle).stop()

    def delete(self, handle: Handle) -> None:
        run = self.runs.pop(handle.name, None)
        if run is not None:
            run.stop()

    def _run(self, handle: Handle) -> Run:
        if handle.name not in self.runs:
            raise unknown_experiment_error(handle.name)
        return self.runs[handle.name]

    def _check_trial(self, handle: Handle, trial: str | None) -> None:
        if trial is not None:
            select_trials([trial], self.observe(handle).trials, experiment=handle.name)


def _handle_of(name: str) -> Handle:
    return Handle(f"{_SCHEME}{name}")
