"""The Katib backend: experiments and tasks on a cluster.

Modules that only some methods need are imported there, so that `list` and `status` stay fast.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from housectl.backends.base import (
    Handle,
    Overview,
    Snapshot,
    Task,
    TrainerRecord,
    Workload,
)
from housectl.backends.katib.handles import Handles
from housectl.backends.katib.katib_objects import EXPERIMENTS, KatibExperiment
from housectl.backends.katib.labels_and_paths import (
    EXPERIMENT,
    component_selector,
    inputs_path,
    output_path,
)
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.plan.plan_record import KatibPlanRecord
from housectl.backends.katib.state.experiment_reader import ExperimentReader
from housectl.backends.katib.state.generations import newest_generation
from housectl.backends.katib.state.overviews import read_overviews, read_settled
from housectl.backends.katib.stop_marks import STOPPED_BY_TIME_LIMIT, STOPPED_BY_USER
from housectl.backends.katib.volume.work_index import WorkIndex
from housectl.backends.messages import select_trials, unknown_experiment_error
from housectl.contract.files import atomic_directory
from housectl.contract.inputs import Inputs, read_inputs
from housectl.contract.record import canonical_json
from housectl.errors import UnknownExperimentError
from housectl.experiment import Experiment, ExperimentState, Trial
from housectl.kube.client import Kube
from housectl.project.fields import KatibSettings

if TYPE_CHECKING:
    from housectl.backends.katib.logs import TaskLogs
    from housectl.backends.katib.volume.transfer import Volume


class KatibBackend:
    """Runs experiments as Katib Experiments and tasks as Jobs, with their files on one PVC.

    Katib cannot stop an Experiment. A stopped search therefore resumes in another Katib Experiment,
    with the rest of the budget. The algorithm `housectl` then continues the list of trials, and
    Katib's own algorithms start again.

    Args:
        kube: A client for the namespace of all objects.
        settings: Settings of new experiments and tasks, with an image.
        inputs: Contains a directory for each inputs digest.
    """

    def __init__(self, kube: Kube, *, settings: KatibSettings, inputs: Path) -> None:
        self._kube = kube
        self._settings = settings
        self._inputs = inputs
        self._index = WorkIndex(kube=kube, pvc=settings.pvc)
        self._reader = ExperimentReader(kube, self._index)
        self._handles = Handles(kube, self._index)
        self._resumed: set[str] = set()

    @cached_property
    def _task_logs(self) -> "TaskLogs":
        from housectl.backends.katib.logs import TaskLogs

        return TaskLogs(self._kube)

    def plan(self, workload: Workload, *, inputs: Inputs, image: str | None) -> KatibPlan:
        """Return the manifests that `submit` would send. Pure and offline."""
        record = KatibPlanRecord(
            inputs=inputs.digest,
            settings=replace(self._settings, context=None, image=image or self._settings.image),
            experiment=workload if isinstance(workload, Experiment) else None,
            task=workload if isinstance(workload, Task) else None,
        )
        # Plans are compared as text, so this one has the types of a decoded record: a bound of 1
        # becomes 1.0.
        return KatibPlan(KatibPlanRecord.from_json(canonical_json(record)))

    def submit(self, workload: Workload, *, inputs: Inputs, image: str | None) -> Handle:
        """Check the plan and the cluster, upload the inputs to the PVC, then create the objects.

        Raises:
            UsageError: Katib would accept the plan and then hang.
            AlreadyExistsError: An experiment or task has that name.
            ClusterError: The cluster lacks a prerequisite, or rejects an object.
        """
        from housectl.backends.katib.checks.preflight import preflight
        from housectl.backends.katib.lifecycle.create import create_all
        from housectl.backends.katib.plan.validation import validate_plan

        plan = self.plan(workload, inputs=inputs, image=image)
        validate_plan(plan)
        preflight(self._kube, plan.record)
        self._reader.require_unused(workload)
        self._volume(plan.record).upload(inputs)
        create_all(self._kube, plan)
        self._reader.remember(workload.name, plan.record)
        return self._handles.make(workload.name)

    def get_plan(self, handle: Handle) -> KatibPlan:
        """Return the plan that was submitted, from an annotation of its objects."""
        return KatibPlan(self._reader.record(handle.name))

    def get_inputs(self, handle: Handle) -> Inputs:
        """Return the inputs that were submitted; download them from the PVC if necessary.

        Raises:
            InputsError: The inputs were altered.
        """
        record = self._reader.record(handle.name)
        path = self._inputs / record.inputs
        if not path.exists():
            with atomic_directory(path) as directory:
                self._volume(record).fetch(inputs_path(record.inputs), directory)
        return read_inputs(path)

    def resume(self, handle: Handle) -> None:
        """Resume a stopped or interrupted experiment; retry a failed task."""
        self._reader.forget(handle.name)
        record = self._reader.record(handle.name)
        if not isinstance(record.workload, Task):
            self._resume(handle, record, record.workload)
        elif self.observe(handle).state is ExperimentState.FAILED:
            self._retry(handle, record)
        self._reader.forget(handle.name)

    def handles(self) -> Sequence[Handle]:
        """Return the handles of all experiments, newest first."""
        return self._handles.list_experiments()

    def overviews(self) -> Sequence[tuple[Handle, Overview]]:
        """Return the overviews of all experiments, newest first.

        Pruned trials are not counted in long searches.
        """
        selector = component_selector(EXPERIMENT)
        experiments = self._kube.list_as(EXPERIMENTS, KatibExperiment, labels=selector)
        overviews = read_overviews(self._kube, experiments)
        handles = self._handles.of_experiments(item.metadata for item in experiments)
        found = [
            (handle, overviews.get(handle.name) or self._overview_of_deleted(handle))
            for handle in handles
        ]
        return [(handle, overview) for handle, overview in found if overview]

    def _overview_of_deleted(self, handle: Handle) -> Overview | None:
        """Return the overview of an experiment in deletion; None if it is gone by now."""
        try:
            return self.observe(handle).overview
        except UnknownExperimentError:
            return None

    def handle(self, name: str) -> Handle:
        """Return the handle of an experiment or task by its name or its URL.

        Raises:
            UnknownExperimentError: There is no such experiment or task.
        """
        handle = self._handles.parse(name)
        if not self._reader.has_remains(handle.name):
            raise unknown_experiment_error(handle.name)
        return handle

    def observe(self, handle: Handle) -> Snapshot:
        """Return the current state of the experiment or task, with the causes of problems.

        Raises:
            UnknownExperimentError: It was deleted.
        """
        return self._reader.observe(handle.name)

    def settled(self, handle: Handle) -> Overview | None:
        """Return the overview of a long search whose trials all succeeded; None for any other."""
        return read_settled(self._kube, handle.name)

    def wait(self, handle: Handle, last_snapshot: Snapshot, *, timeout: float) -> None:
        """Return when the state differs from `last_snapshot`, or after `timeout` seconds.

        Katib does not end a search at its time limit. The waiting command stops it. It also lets a
        resumed search run as many parallel trials as planned.
        """
        from housectl.backends.katib.lifecycle.stop import remaining_seconds

        record = self._reader.record(handle.name)
        remaining = remaining_seconds(record.workload, last_snapshot)
        if remaining is not None and remaining <= 0:
            self._stop(handle, STOPPED_BY_TIME_LIMIT)
            return
        if handle.name in self._resumed and self._widen(handle, record.workload):
            self._resumed.remove(handle.name)
        self._reader.wait(handle.name, last_snapshot, timeout=min(timeout, remaining or timeout))

    def logs(self, handle: Handle, trial: str | None) -> Iterator[str]:
        """Yield the trainer's log lines so far: of one trial, or of a task if `trial` is None.

        Raises:
            UsageError: There is no such trial.
        """
        from housectl.backends.katib.logs import trial_log

        if trial is None:
            yield from self._task_logs.lines(self._reader.task_pods(handle.name))
            return
        yield from trial_log(self._kube, self._trial(handle, trial).name)

    def fetch(self, handle: Handle, trial: str | None, destination: Path) -> Path:
        """Copy the output of a trial, or of a task, to the new directory `destination`.

        Raises:
            BundleError: There is no output.
            UsageError: There is no such trial.
        """
        trial_name = None if trial is None else self._trial(handle, trial).name
        volume = self._volume(self._reader.record(handle.name))
        with atomic_directory(destination) as directory:
            volume.fetch(output_path(handle.name, trial_name), directory)
        return destination

    def image_digest(self, handle: Handle) -> str | None:
        """Return the digest of the image that ran a task; None if it was not pulled."""
        from housectl.backends.katib.image_digests import pulled_digest

        image = self._reader.record(handle.name).image
        return pulled_digest(image, self._reader.task_pods(handle.name))

    def with_trainer(
        self,
        trainer: TrainerRecord,
        *,
        report: Callable[[str], None],  # noqa: ARG002
        warn: Callable[[str], None],  # noqa: ARG002
    ) -> "KatibBackend":
        """Return a backend whose tasks run a recorded image; new plans' image if it is None.

        Raises:
            UsageError: The recorded image is from another repository than that of new plans.
        """
        from housectl.backends.katib.image_digests import trusted_image

        image = trusted_image(trainer.image, own_image=self._settings.image or "")
        settings = replace(self._settings, image=image)
        return KatibBackend(self._kube, settings=settings, inputs=self._inputs)

    def delete_outputs(self, handle: Handle, trials: Sequence[str]) -> None:
        """Delete the files of these trials; keep their numbers and objectives."""
        from housectl.backends.katib.plan.manifest import TERMINATION_REPORT_SUFFIX

        names = [trial.name for trial in self._trials(handle, trials)]
        outputs = [output_path(handle.name, name) for name in names]
        if outputs:
            reports = [f"{path}{TERMINATION_REPORT_SUFFIX}" for path in outputs]
            self._volume(self._reader.record(handle.name)).remove([*outputs, *reports])

    def stop(self, handle: Handle) -> None:
        """Stop the experiment or task; finished trials stay usable. Idempotent.

        Returns after everything has ended. An experiment without trials is deleted, and so is a
        running task.
        """
        self._stop(handle, STOPPED_BY_USER)

    def delete(self, handle: Handle) -> None:
        """Stop the experiment or task, and delete all its files. Idempotent.

        Raises:
            ClusterError: Some files or objects remain; another call resumes the deletion.
        """
        from housectl.backends.katib.lifecycle.delete import delete_workload

        if self._reader.has_remains(handle.name):
            record = self._reader.find_record(handle.name)
            is_task = record is not None and isinstance(record.workload, Task)
            delete_workload(
                self._volume(record),
                handle.name,
                is_ended_task=is_task and self.observe(handle).state.ended,
                fallback_image=self._settings.image,
            )
        self._reader.forget(handle.name)

    def _resume(self, handle: Handle, record: KatibPlanRecord, experiment: Experiment) -> None:
        from housectl.backends.katib.checks.preflight import preflight
        from housectl.backends.katib.lifecycle.resume import resume_experiment

        self._resumed.add(handle.name)
        newest = newest_generation(experiment, self._reader.objects(handle.name))
        if STOPPED_BY_USER in newest.stop_reasons:
            # The command that stopped the experiment may have been killed halfway.
            self._stop(handle, STOPPED_BY_USER)
        elif self.observe(handle).state is not ExperimentState.INTERRUPTED:
            return
        preflight(self._kube, record)
        objects = self._reader.objects(handle.name)
        resume_experiment(self._kube, record, experiment, objects)

    def _widen(self, handle: Handle, workload: Workload) -> bool:
        """Raise the number of parallel trials; return True if no more needs to be done."""
        from housectl.backends.katib.lifecycle.widen import widen

        if isinstance(workload, Task):
            return True
        return widen(self._kube, workload, self._reader.objects(handle.name))

    def _retry(self, handle: Handle, record: KatibPlanRecord) -> None:
        from housectl.backends.katib.lifecycle.create import create_all
        from housectl.backends.katib.lifecycle.delete import delete_writers, wait_until_gone

        delete_writers(self._kube, handle.name)
        wait_until_gone(self._kube, handle.name)
        create_all(self._kube, KatibPlan(record))

    def _stop(self, handle: Handle, reason: str) -> None:
        from housectl.backends.katib.lifecycle.stop import stop_experiment

        # An informer may not know yet what another command has just created.
        self._reader.forget(handle.name)
        if isinstance(self._reader.record(handle.name).workload, Task):
            if not self._reader.observe(handle.name).state.ended:
                self.delete(handle)
        else:
            stop_experiment(self._kube, self._reader.objects(handle.name), reason)
            if not self._reader.exists(handle.name):
                self._index.remove(handle.name)
        self._reader.forget(handle.name)

    def _volume(self, record: KatibPlanRecord | None) -> "Volume":
        """Return the volume of a plan; of new plans if the plan is None."""
        from housectl.backends.katib.volume.pods import VolumePods
        from housectl.backends.katib.volume.transfer import Volume

        settings = record.settings if record else self._settings
        pods = VolumePods(kube=self._kube, pvc=settings.pvc, image=settings.image or "")
        return Volume(pods)

    def _trial(self, handle: Handle, name: str) -> Trial:
        (trial,) = self._trials(handle, [name])
        return trial

    def _trials(self, handle: Handle, names: Sequence[str]) -> list[Trial]:
        """Return trials by their names."""
        return select_trials(names, self.observe(handle).trials, experiment=handle.name)
