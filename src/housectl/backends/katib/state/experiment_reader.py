"""Reading experiments and tasks: by requests, or from an informer while a command waits."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from housectl.backends.base import Snapshot, Task, Workload
from housectl.backends.katib.katib_objects import (
    EXPERIMENTS,
    SUGGESTIONS,
    KatibTrial,
    Suggestion,
)
from housectl.backends.katib.labels_and_paths import (
    TASK,
    labels,
    selector,
)
from housectl.backends.katib.plan.plan_record import KatibPlanRecord, find_plan_record
from housectl.backends.katib.state.cluster_objects import (
    ExperimentObjects,
    experiment_selections,
    experiments_selector,
    list_experiment_objects,
    list_task_objects,
    task_selections,
)
from housectl.backends.katib.state.resource_groups import (
    TASK_POD_GROUP,
    TRIAL_GROUP,
    ObjectSource,
    ResourceGroup,
    Selections,
    list_group,
)
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
from housectl.errors import NotFoundError, UnknownExperimentError
from housectl.experiment import Experiment
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS
from housectl.kube.objects.base import NamedObject, ObjectMeta
from housectl.kube.objects.pods import Pod

if TYPE_CHECKING:
    from housectl.backends.katib.state.diagnoser import Diagnoser
    from housectl.backends.katib.state.informer import Informer
    from housectl.backends.katib.state.trials import KnownTrials

_V = TypeVar("_V", bound=NamedObject)

# Some causes depend on time alone, without a change on the cluster.
_DIAGNOSIS_INTERVAL_SECONDS = 5.0
# A waiting command observes each change twice.
_REUSE_SECONDS = 0.5
# Changes come in bursts, so a waiting command reads only the last one.
_BURST_SECONDS = 0.2
# A waiting command uses at most this share of a core to read changes.
_CPU_SHARE = 0.05


@dataclass(frozen=True, kw_only=True)
class _Observation:
    """A snapshot of a revision of an informer."""

    revision: int
    time: float
    snapshot: Snapshot


class _ListedObjects:
    """Lists each resource group once, when its objects are first needed.

    Args:
        kube: A client for the namespace of the objects.
        selections: The selected objects of each group.
    """

    def __init__(self, kube: Kube, selections: Selections) -> None:
        self._kube = kube
        self._selections = selections
        self._trials: Sequence[KatibTrial] = ()

    def __call__(self, group: ResourceGroup[_V]) -> Sequence[_V]:
        """Return the selected objects of a group; trials have to be listed before jobs and pods."""
        items = list_group(self._kube, group, self._selections[group], self._trials).items
        if group is TRIAL_GROUP:
            self._trials = [item for item in items if isinstance(item, KatibTrial)]
        return items


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
        self._last: dict[str, _Observation] = {}
        self._known: dict[str, KnownTrials] = {}
        self._suggestions: dict[str, tuple[float, Suggestion | None]] = {}

    @cached_property
    def _diagnoser(self) -> "Diagnoser":
        # Commands that find no problem need no module of the diagnosis.
        from housectl.backends.katib.state.diagnoser import Diagnoser

        return Diagnoser(self._kube)

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
            record = find_plan_record(self._metadata(name))
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
        """Return the current snapshot, or the last one if nothing has changed for a moment."""
        informer = self._informers.get(name)
        if informer is None:
            return self._new_snapshot(name)
        revision, now = informer.revision, time.monotonic()
        last = self._last.get(name)
        if last is None or last.revision != revision or now - last.time > _REUSE_SECONDS:
            last = _Observation(revision=revision, time=now, snapshot=self._new_snapshot(name))
            self._last[name] = last
        return last.snapshot

    def _new_snapshot(self, name: str) -> Snapshot:
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
        source = self._source(name, self._experiment_selections)
        objects = list_experiment_objects(source, self._read_suggestion)
        if not objects.sub_experiments:
            self.forget(name)
            raise self._missing(name)
        return objects

    def sub_experiment_names(self, name: str) -> Sequence[str]:
        """Return the names of an experiment's sub-experiments, also of those in deletion."""
        return [metadata.name for metadata in self._metadata(name)]

    def task_pods(self, name: str) -> Sequence[Pod]:
        """Return the pods of a task."""
        return self._source(name, task_selections)(TASK_POD_GROUP)

    def wait(self, name: str, last_snapshot: Snapshot, *, timeout: float) -> None:
        """Return when the snapshot differs from `last_snapshot`, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        informer = self._informer(name)
        while True:
            revision, started = informer.revision, time.thread_time()
            if self.observe(name) != last_snapshot:
                return
            cost = time.thread_time() - started
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return
            informer.wait(
                revision,
                timeout=min(remaining, _DIAGNOSIS_INTERVAL_SECONDS),
                burst=max(_BURST_SECONDS, cost / _CPU_SHARE),
            )

    def forget(self, name: str) -> None:
        """Drop all cached state of an experiment or task that housectl has just changed."""
        self._records.pop(name, None)
        self._last.pop(name, None)
        self._known.pop(name, None)
        self._suggestions.clear()
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
            known=self._known.setdefault(name, {}),
        )

    def _task_snapshot(self, name: str) -> Snapshot:
        objects = list_task_objects(self._source(name, task_selections))
        if not objects.jobs:
            self.forget(name)
            raise unknown_experiment_error(name)
        return task_snapshot(objects, self._diagnoser.task_cause(objects))

    def _source(self, name: str, selections_of: Callable[[str], Selections]) -> ObjectSource:
        if informer := self._informers.get(name):
            return informer.objects
        return _ListedObjects(self._kube, selections_of(name))

    def _informer(self, name: str) -> "Informer":
        from housectl.backends.katib.state.informer import Informer

        if name not in self._informers:
            is_task = isinstance(self.record(name).workload, Task)
            selections = task_selections(name) if is_task else self._experiment_selections(name)
            self._informers[name] = Informer(self._kube, selections)
        return self._informers[name]

    def _experiment_selections(self, name: str) -> Selections:
        sub_experiments = self.sub_experiment_names(name)
        if not sub_experiments:
            raise unknown_experiment_error(name)
        return experiment_selections(name, sub_experiments)

    def _read_suggestion(self, name: str) -> Suggestion | None:
        """Return a Suggestion, at most five seconds old."""
        now = time.monotonic()
        read_at, suggestion = self._suggestions.get(name, (0.0, None))
        if not read_at or now - read_at > _DIAGNOSIS_INTERVAL_SECONDS:
            with suppress(NotFoundError):
                suggestion = self._kube.get(SUGGESTIONS, name, Suggestion)
            self._suggestions[name] = now, suggestion
        return suggestion

    def _metadata(self, name: str) -> list[ObjectMeta]:
        """Return the metadata of an experiment's Katib Experiments, or else of a task's Job."""
        experiments = self._kube.list_as(
            EXPERIMENTS, NamedObject, labels=experiments_selector(name)
        )
        if experiments:
            return [experiment.metadata for experiment in experiments]
        jobs = self._kube.list_as(JOBS, NamedObject, labels=selector(labels(name, TASK)))
        return [job.metadata for job in jobs]
