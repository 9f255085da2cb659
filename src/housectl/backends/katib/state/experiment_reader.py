"""Reading experiments and tasks: by requests, or from an informer while a command waits."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from housectl.backends.base import Snapshot, Task, Workload
from housectl.backends.katib.katib_objects import EXPERIMENTS, KatibExperiment
from housectl.backends.katib.labels_and_paths import (
    PLAN_ANNOTATION,
    TASK,
    labels,
    selector,
)
from housectl.backends.katib.plan.plan_record import KatibPlanRecord
from housectl.backends.katib.state.cluster_objects import (
    ExperimentObjects,
    ListObjects,
    ResourceGroup,
    Selectors,
    experiment_selectors,
    experiments_selector,
    list_experiment_objects,
    list_task_objects,
    task_selectors,
)
from housectl.backends.katib.state.diagnoser import Diagnoser
from housectl.backends.katib.state.informer import Informer
from housectl.backends.katib.state.snapshot import (
    deleted_snapshot,
    experiment_snapshot,
    task_snapshot,
)
from housectl.backends.katib.volume.work_index import WorkIndex
from housectl.backends.messages import (
    already_exists_error,
    files_left_error,
    incompletely_deleted_error,
    unknown_experiment_error,
)
from housectl.errors import UnknownExperimentError
from housectl.experiment import Experiment
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS
from housectl.kube.objects.base import ObjectMeta, parse
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Pod

# Some causes depend on time alone, without a change on the cluster.
_DIAGNOSIS_INTERVAL_SECONDS = 5.0


class ExperimentReader:
    """Reads records, objects and snapshots of experiments and tasks.

    Args:
        kube: A client for their namespace.
        index: Names of experiments with files, also of those without objects.
    """

    def __init__(self, kube: Kube, index: WorkIndex) -> None:
        self._kube = kube
        self._index = index
        self._records: dict[str, KatibPlanRecord] = {}
        self._informers: dict[str, Informer] = {}
        self._diagnoser = Diagnoser(kube)

    def record(self, name: str) -> KatibPlanRecord:
        """Return the record of the submitted plan.

        Raises:
            UnknownExperimentError: No experiment or task has that name.
        """
        record = self.find_record(name)
        if record is None:
            raise self._missing(name)
        return record

    def find_record(self, name: str) -> KatibPlanRecord | None:
        """Return the record of the submitted plan; None without any object."""
        if name not in self._records:
            record = _plan_record(self._metadata(name))
            if record is None:
                return None
            self._records[name] = record
        return self._records[name]

    def remember(self, name: str, record: KatibPlanRecord) -> None:
        """Keep the record of a plan that was just submitted."""
        self._records[name] = record

    def exists(self, name: str) -> bool:
        """Return True if an experiment or task has that name."""
        return bool(self._metadata(name))

    def has_remains(self, name: str) -> bool:
        """Return True if objects or files of that name exist."""
        return self.exists(name) or name in self._index.names()

    def require_unused(self, workload: Workload) -> None:
        """Require a name without objects; a task may overwrite its earlier files.

        Raises:
            AlreadyExistsError: An experiment or task has the name, or an experiment's files have.
        """
        if self.exists(workload.name):
            raise already_exists_error(workload.name)
        if isinstance(workload, Experiment) and workload.name in self._index.names():
            raise files_left_error(workload.name)

    def observe(self, name: str) -> Snapshot:
        """Return the current snapshot of an experiment or task.

        Raises:
            UnknownExperimentError: No experiment or task has that name.
        """
        try:
            return self._observe(name)
        except UnknownExperimentError:
            if not self.has_remains(name):
                raise
            return deleted_snapshot(name, self._index.names().get(name))

    def _observe(self, name: str) -> Snapshot:
        workload = self.record(name).workload
        snapshot = (
            self._task_snapshot(name)
            if isinstance(workload, Task)
            else self._experiment_snapshot(name, workload)
        )
        informer = self._informers.get(name)
        if informer and informer.error:
            return replace(snapshot, reason=f"{informer.error} Retrying.")
        return snapshot

    def objects(self, name: str) -> ExperimentObjects:
        """Return all objects of an experiment.

        Raises:
            UnknownExperimentError: The experiment was deleted.
        """
        objects = list_experiment_objects(self._source(name, self._experiment_selectors))
        if not objects.sub_experiments:
            self.forget(name)
            raise self._missing(name)
        return objects

    def sub_experiment_names(self, name: str) -> Sequence[str]:
        """Return the names of an experiment's sub-experiments, also of those in deletion."""
        return [metadata.name for metadata in self._metadata(name)]

    def task_pods(self, name: str) -> Sequence[Pod]:
        """Return the pods of a task."""
        list_objects = self._source(name, task_selectors)
        return [parse(Pod, item) for item in list_objects(ResourceGroup.PODS)]

    def wait(self, name: str, last_snapshot: Snapshot, *, timeout: float) -> None:
        """Return when the snapshot differs from `last_snapshot`, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        informer = self._informer(name)
        while self.observe(name) == last_snapshot:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return
            pause = min(remaining, _DIAGNOSIS_INTERVAL_SECONDS)
            informer.wait(informer.revision, timeout=pause)

    def forget(self, name: str) -> None:
        """Drop all cached state of an experiment or task that housectl has just changed."""
        self._records.pop(name, None)
        if informer := self._informers.pop(name, None):
            informer.close()

    def _missing(self, name: str) -> UnknownExperimentError:
        """Return the error for an experiment or task that has no objects, or only deleted ones."""
        incomplete = self.has_remains(name)
        return incompletely_deleted_error(name) if incomplete else unknown_experiment_error(name)

    def _experiment_snapshot(self, name: str, experiment: Experiment) -> Snapshot:
        objects = self.objects(name)
        diagnoser = self._diagnoser.for_experiment(name, objects)
        return experiment_snapshot(
            experiment,
            objects,
            trial_cause=diagnoser.trial_cause,
            search_cause=diagnoser.search_cause,
        )

    def _task_snapshot(self, name: str) -> Snapshot:
        objects = list_task_objects(self._source(name, task_selectors), name)
        if not objects.jobs:
            self.forget(name)
            raise unknown_experiment_error(name)
        return task_snapshot(objects, self._diagnoser.task_cause(objects))

    def _source(self, name: str, selectors_of: Callable[[str], Selectors]) -> ListObjects:
        if informer := self._informers.get(name):
            return informer.objects
        selectors = selectors_of(name)
        return lambda group: self._kube.list(group.kind, labels=selectors[group]).items

    def _informer(self, name: str) -> Informer:
        if name not in self._informers:
            is_task = isinstance(self.record(name).workload, Task)
            selectors = task_selectors(name) if is_task else self._experiment_selectors(name)
            self._informers[name] = Informer(self._kube, selectors)
        return self._informers[name]

    def _experiment_selectors(self, name: str) -> Selectors:
        sub_experiments = self.sub_experiment_names(name)
        if not sub_experiments:
            raise unknown_experiment_error(name)
        return experiment_selectors(name, sub_experiments)

    def _metadata(self, name: str) -> list[ObjectMeta]:
        """Return the metadata of an experiment's Katib Experiments, or else of a task's Job."""
        experiments = self._kube.list_as(
            EXPERIMENTS, KatibExperiment, labels=experiments_selector(name)
        )
        if experiments:
            return [experiment.metadata for experiment in experiments]
        jobs = self._kube.list_as(JOBS, Job, labels=selector(labels(name, TASK)))
        return [job.metadata for job in jobs]


def _plan_record(objects: Sequence[ObjectMeta]) -> KatibPlanRecord | None:
    texts = (metadata.annotations.get(PLAN_ANNOTATION) for metadata in objects)
    text = next(filter(None, texts), None)
    return KatibPlanRecord.from_json(text.encode()) if text else None
