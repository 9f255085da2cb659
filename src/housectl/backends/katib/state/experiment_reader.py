"""Looking at experiments and tasks: directly, or in a mirror for as long as somebody waits."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from housectl.backends.base import Snapshot, Task
from housectl.backends.katib.katib_objects import EXPERIMENTS, KatibExperiment
from housectl.backends.katib.lifecycle.poll import wait_until
from housectl.backends.katib.naming import JOB_LABEL, PLAN_ANNOTATION, TASK, labels, selector
from housectl.backends.katib.plan.records import PlanRecord
from housectl.backends.katib.state.cluster_objects import (
    ExperimentObjects,
    ResourceGroup,
    Selectors,
    Source,
    experiment_selectors,
    experiments_selector,
    list_experiment_objects,
    list_task_objects,
    pods_selector,
    task_selectors,
)
from housectl.backends.katib.state.diagnoser import Diagnoser
from housectl.backends.katib.state.informer import Informer
from housectl.backends.katib.state.snapshot import snapshot_of, task_snapshot_of
from housectl.backends.messages import unknown_experiment_error
from housectl.experiment import Experiment
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS, PODS
from housectl.kube.objects.base import ObjectMeta, parse
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Pod

# Some causes show by time alone, with no change on the cluster.
_LOOK_SECONDS = 5.0
_GONE_SECONDS = 90.0


class ExperimentReader:
    """Knows what the cluster has of each experiment and task.

    Args:
        kube: The cluster.
    """

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._records: dict[str, PlanRecord] = {}
        self._mirrors: dict[str, Informer] = {}
        self._causes = Diagnoser(kube)

    def record(self, name: str) -> PlanRecord:
        """Return what was recorded when it was submitted.

        Raises:
            UnknownExperimentError: The cluster has no such experiment or task of ours.
        """
        if name not in self._records:
            self._records[name] = _recorded(name, self._metadata(name))
        return self._records[name]

    def remember(self, name: str, record: PlanRecord) -> None:
        """Take a record that was submitted just now, which need not be asked for."""
        self._records[name] = record

    def exists(self, name: str) -> bool:
        """Return whether something has that name."""
        return bool(self._metadata(name))

    def observe(self, name: str) -> Snapshot:
        """Return how it stands.

        Raises:
            UnknownExperimentError: There is none.
        """
        work = self.record(name).workload
        snapshot = self._task(name) if isinstance(work, Task) else self._experiment(name, work)
        mirror = self._mirrors.get(name)
        if mirror and mirror.error:
            return replace(snapshot, reason=f"{mirror.error} It is tried again.")
        return snapshot

    def objects(self, name: str) -> ExperimentObjects:
        """Return all objects of an experiment.

        Raises:
            UnknownExperimentError: It was deleted.
        """
        look = list_experiment_objects(self._source(name, self._experiment_selectors))
        if not look.sub_experiments:
            self.forget(name)
            raise unknown_experiment_error(name)
        return look

    def members(self, name: str) -> Sequence[str]:
        """Return the names of an experiment's members, also of those that are being deleted."""
        return [each.name for each in self._metadata(name)]

    def task_pods(self, name: str) -> Sequence[Pod]:
        """Return the pods of a task."""
        return [
            parse(Pod, each)
            for each in self._source(name, self._task_selectors)(ResourceGroup.PODS)
        ]

    def wait(self, name: str, seen: Snapshot, *, timeout: float) -> None:
        """Return when it stands otherwise than `seen`, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (mirror := self._mirror(name)) and self.observe(name) == seen:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            mirror.wait(mirror.revision, timeout=min(left, _LOOK_SECONDS))

    def forget(self, name: str) -> None:
        """Look afresh from now on: something was changed by us."""
        self._records.pop(name, None)
        if mirror := self._mirrors.pop(name, None):
            mirror.close()

    def wait_until_gone(self, name: str) -> None:
        """Wait until the cluster has forgotten it, and nothing of it runs.

        Raises:
            ClusterError: Something keeps it.
        """
        self.forget(name)
        # Pods of jobs may go later, and write until then.
        pods = f"{pods_selector(name)},{JOB_LABEL}"
        wait_until(
            lambda: not self.exists(name) and not self._kube.list(PODS, labels=pods).items,
            seconds=_GONE_SECONDS,
            timeout_message=f"{name} is still there {_GONE_SECONDS:.0f} s after it was deleted: Katib's "
            "controller or its database, which have to agree, do not answer.",
        )

    def _experiment(self, name: str, experiment: Experiment) -> Snapshot:
        look = self.objects(name)
        told = self._causes.for_experiment(name, look)
        return snapshot_of(experiment, look, trial_cause=told.trial, member_cause=told.member)

    def _task(self, name: str) -> Snapshot:
        look = list_task_objects(self._source(name, self._task_selectors), name)
        if not look.jobs:
            self.forget(name)
            raise unknown_experiment_error(name)
        return task_snapshot_of(look, self._causes.task_cause(look))

    def _source(self, name: str, selectors: Callable[[str], Selectors]) -> Source:
        if mirror := self._mirrors.get(name):
            return mirror.objects
        wanted = selectors(name)
        return lambda part: self._kube.list(part.kind, labels=wanted[part]).items

    def _mirror(self, name: str) -> Informer:
        if name not in self._mirrors:
            is_task = isinstance(self.record(name).workload, Task)
            selectors = self._task_selectors if is_task else self._experiment_selectors
            self._mirrors[name] = Informer(self._kube, selectors(name))
        return self._mirrors[name]

    def _experiment_selectors(self, name: str) -> Selectors:
        members = self.members(name)
        if not members:
            raise unknown_experiment_error(name)
        return experiment_selectors(name, members)

    def _task_selectors(self, name: str) -> Selectors:
        return task_selectors(name)

    def _metadata(self, name: str) -> list[ObjectMeta]:
        """Return what the Experiments with that name, or else the Job, say of themselves."""
        members = self._kube.list_as(
            EXPERIMENTS, KatibExperiment, labels=experiments_selector(name)
        )
        if members:
            return [each.metadata for each in members]
        jobs = self._kube.list_as(JOBS, Job, labels=selector(labels(name, TASK)))
        return [each.metadata for each in jobs]


def _recorded(name: str, found: Sequence[ObjectMeta]) -> PlanRecord:
    for metadata in found:
        text = metadata.annotations.get(PLAN_ANNOTATION)
        if text is not None:
            return PlanRecord.from_json(text.encode())
    raise unknown_experiment_error(name)
