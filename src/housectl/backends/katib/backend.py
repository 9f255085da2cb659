"""The Katib backend: experiments and tasks on a cluster."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from housectl.backends.base import Handle, Snapshot, Task, Workload
from housectl.backends.katib.checks.preflight import preflight
from housectl.backends.katib.handles import Handles
from housectl.backends.katib.katib_objects import EXPERIMENTS
from housectl.backends.katib.lifecycle import stop as stopping
from housectl.backends.katib.lifecycle.create import create_all
from housectl.backends.katib.lifecycle.resume import resume
from housectl.backends.katib.logs import TaskLogs, trial_log
from housectl.backends.katib.naming import inputs_path, output_path, work_path
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.plan.manifest import TERMINATION_REPORT_SUFFIX
from housectl.backends.katib.plan.records import PlanRecord
from housectl.backends.katib.plan.validation import validate_plan
from housectl.backends.katib.state.experiment_reader import ExperimentReader
from housectl.backends.katib.stop_marks import STOPPED_BY_TIME_LIMIT, STOPPED_BY_USER
from housectl.backends.katib.volume.pods import VolumePods
from housectl.backends.katib.volume.transfer import Volume
from housectl.backends.messages import already_exists_error, select_trials, unknown_experiment_error
from housectl.contract.files import atomic_directory
from housectl.contract.inputs import Inputs, read_inputs
from housectl.contract.record import canonical_json
from housectl.errors import UnknownExperimentError
from housectl.experiment import Experiment, ExperimentState, Trial
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS
from housectl.project.fields import KatibSettings


class KatibBackend:
    """Runs experiments as Katib Experiments and tasks as Jobs; their files are on one claim.

    A search that was stopped goes on in another Katib Experiment with what is left of the budget,
    since Katib itself cannot stop one. That experiment does not know the earlier results.

    Args:
        kube: The cluster, and the namespace of all objects.
        settings: Settings of new experiments and tasks, with an image.
        inputs: Contains a directory for each inputs digest.
    """

    def __init__(self, kube: Kube, *, settings: KatibSettings, inputs: Path) -> None:
        self._kube = kube
        self._settings = settings
        self._inputs = inputs
        self._observer = ExperimentReader(kube)
        self._handles = Handles(kube)
        self._task_logs = TaskLogs(kube)

    def plan(self, work: Workload, *, inputs: Inputs, image: str | None) -> KatibPlan:
        """Return the manifests that `submit` would send. Pure and offline."""
        record = PlanRecord(
            inputs=inputs.digest,
            settings=replace(self._settings, context=None, image=image or self._settings.image),
            experiment=work if isinstance(work, Experiment) else None,
            task=work if isinstance(work, Task) else None,
        )
        # As it will be read back: a bound of 1 is then 1.0, and two plans are compared as texts.
        return KatibPlan(PlanRecord.from_json(canonical_json(record)))

    def submit(self, work: Workload, *, inputs: Inputs, image: str | None) -> Handle:
        """Check the plan and the cluster, bring the inputs to the claim, then create the objects.

        Raises:
            UsageError: Katib would take the plan and then stand still.
            NameTakenError: Something has that name.
            ClusterError: The cluster lacks something, or refuses.
        """
        plan = self.plan(work, inputs=inputs, image=image)
        validate_plan(plan)
        preflight(self._kube, plan.record)
        if self._observer.exists(work.name):
            raise already_exists_error(work.name)
        self._volume(plan.record).upload(inputs)
        create_all(self._kube, plan)
        self._observer.remember(work.name, plan.record)
        return self._handles.make(work.name)

    def get_plan(self, handle: Handle) -> KatibPlan:
        """Return the plan that was submitted, from the annotation of what it made."""
        return KatibPlan(self._observer.record(handle.name))

    def get_inputs(self, handle: Handle) -> Inputs:
        """Return the inputs that it was submitted with, from the claim if they are not here.

        Raises:
            InputsError: They are altered.
        """
        record = self._observer.record(handle.name)
        path = self._inputs / record.inputs
        if not path.exists():
            with atomic_directory(path) as directory:
                self._volume(record).fetch(inputs_path(record.inputs), directory)
        return read_inputs(path)

    def resume(self, handle: Handle) -> None:
        """Go on with what was stopped, and try a failed task again."""
        record = self._observer.record(handle.name)
        state = self.observe(handle).state
        if isinstance(record.workload, Task):
            if state is ExperimentState.FAILED:
                self._kube.delete(JOBS, handle.name)
                self._observer.wait_until_gone(handle.name)
                create_all(self._kube, KatibPlan(record))
        elif state in {ExperimentState.STOPPED, ExperimentState.INTERRUPTED}:
            if state is ExperimentState.STOPPED:
                # Whatever stopped it may have been killed before it was done.
                self._stop(handle, STOPPED_BY_USER)
            resume(self._kube, record, record.workload, self._observer.objects(handle.name))
        self._observer.forget(handle.name)

    def handles(self) -> Sequence[Handle]:
        """Return all experiments, the newest first."""
        return self._handles.list_experiments()

    def handle(self, name: str) -> Handle:
        """Return the handle of an experiment or task by its name or its URL.

        Raises:
            UnknownExperimentError: There is none.
        """
        handle = self._handles.parse(name)
        if not self._observer.exists(handle.name):
            raise unknown_experiment_error(handle.name)
        return handle

    def observe(self, handle: Handle) -> Snapshot:
        """Look once at the experiment or task and its trials, with causes for what is stuck.

        Raises:
            UnknownExperimentError: It was deleted.
        """
        return self._observer.observe(handle.name)

    def wait(self, handle: Handle, seen: Snapshot, *, timeout: float) -> None:
        """Return when something differs from `seen`, or after `timeout` seconds.

        Nothing on the cluster ends a search whose time is up; whoever waits does.
        """
        record = self._observer.record(handle.name)
        left = stopping.seconds_left(record.workload, seen)
        if left is not None and left <= 0:
            self._stop(handle, STOPPED_BY_TIME_LIMIT)
            return
        self._observer.wait(handle.name, seen, timeout=min(timeout, left or timeout))

    def logs(self, handle: Handle, trial: str | None) -> Iterator[str]:
        """Yield the trainer's own lines so far: of one trial, or of a task.

        Raises:
            UsageError: There is no such trial.
        """
        if trial is None:
            yield from self._task_logs.lines(self._observer.task_pods(handle.name))
            return
        yield from trial_log(self._kube, self._trial(handle, trial).name)

    def fetch(self, handle: Handle, trial: str | None, into: Path) -> Path:
        """Bring the output of a trial, or of a task, to the new directory `into`.

        Raises:
            BundleError: It is missing.
            UsageError: There is no such trial.
        """
        known = None if trial is None else self._trial(handle, trial).name
        volume = self._volume(self._observer.record(handle.name))
        with atomic_directory(into) as directory:
            volume.fetch(output_path(handle.name, known), directory)
        return into

    def delete_outputs(self, handle: Handle, trials: Sequence[str]) -> None:
        """Free the outputs of these trials; their objectives stay."""
        known = self._trials(handle, trials)
        outputs = [output_path(handle.name, trial.name) for trial in known]
        if outputs:
            volume = self._volume(self._observer.record(handle.name))
            volume.remove([*outputs, *(f"{each}{TERMINATION_REPORT_SUFFIX}" for each in outputs)])

    def stop(self, handle: Handle) -> None:
        """End it, and return when it has ended; finished trials stay usable. Idempotent.

        An experiment without any trial, and a task, are deleted: nothing of them would be usable.
        """
        self._stop(handle, STOPPED_BY_USER)

    def delete(self, handle: Handle) -> None:
        """Stop it, and forget it with all its files. Idempotent."""
        with suppress(UnknownExperimentError):
            record = self._observer.record(handle.name)
            if isinstance(record.workload, Task) and self.observe(handle).state.ended:
                # Who finds it gone may begin the same task anew at once.
                self._delete_files(handle, record)
                self._delete_objects(handle, record)
            else:
                # What runs would write them again.
                self._delete_objects(handle, record)
                self._delete_files(handle, record)

    def _delete_objects(self, handle: Handle, record: PlanRecord) -> None:
        if isinstance(record.workload, Task):
            self._kube.delete(JOBS, handle.name)
        else:
            for member in self._observer.members(handle.name):
                self._kube.delete(EXPERIMENTS, member)
        self._observer.wait_until_gone(handle.name)

    def _delete_files(self, handle: Handle, record: PlanRecord) -> None:
        # An image that does not start may be the very reason for deleting something.
        self._volume(record).remove([work_path(handle.name)], fallback_image=self._settings.image)

    def _stop(self, handle: Handle, why: str) -> None:
        if isinstance(self._observer.record(handle.name).workload, Task):
            if not self._observer.observe(handle.name).state.ended:
                self._kube.delete(JOBS, handle.name)
        else:
            stopping.stop(self._kube, self._observer.objects(handle.name), why)
        self._observer.forget(handle.name)

    def _volume(self, record: PlanRecord) -> Volume:
        pods = VolumePods(kube=self._kube, pvc=record.settings.pvc, image=record.image)
        return Volume(pods)

    def _trial(self, handle: Handle, name: str) -> Trial:
        (trial,) = self._trials(handle, [name])
        return trial

    def _trials(self, handle: Handle, names: Sequence[str]) -> list[Trial]:
        """Return trials by their names, all with one look."""
        return select_trials(names, self.observe(handle).trials, experiment=handle.name)
