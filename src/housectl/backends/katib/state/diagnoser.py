"""Why trials, experiments and tasks fail or are stuck: diagnosis, and the logs it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from housectl.backends.katib.diagnosis.experiment import experiment_cause
from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.backends.katib.diagnosis.job import task_cause
from housectl.backends.katib.diagnosis.trial import trial_cause
from housectl.backends.katib.katib_names import COLLECTORS
from housectl.backends.katib.katib_objects import KatibExperiment, KatibTrial
from housectl.backends.katib.naming import EXPERIMENT_LABEL, TRIAL_LABEL
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.state.cluster_objects import ExperimentObjects, TaskObjects
from housectl.errors import ClusterError
from housectl.kube.client import Kube
from housectl.kube.objects.base import ObjectMeta
from housectl.kube.objects.pods import Pod

_TAIL = 200


class Diagnoser:
    """Finds causes, reading each log at most once after its end.

    Args:
        kube: The cluster.
    """

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._logs: dict[tuple[str, str], list[str]] = {}

    def for_experiment(self, name: str, look: ExperimentObjects) -> "ExperimentDiagnoser":
        """Return what tells the causes of an experiment's trials and members."""
        return ExperimentDiagnoser(causes=self, kube=self._kube, name=name, look=look)

    def task_cause(self, look: TaskObjects) -> str | None:
        """Return why a task has failed or is stuck."""
        lines = [line for pod in look.pods for line in self.log(pod, CONTAINER)]
        cause = task_cause(
            look.jobs[0],
            look.pods,
            look.events,
            namespace=self._kube.namespace,
            context=self._kube.context,
            trainer_lines=lines,
            now=datetime.now(UTC),
        )
        return str(cause) if cause else None

    def log(self, pod: Pod, container: str) -> list[str]:
        """Return the last lines of a container that has ended without last words."""
        ended = {each.name: each.state.terminated for each in pod.status.container_statuses}
        key = (pod.metadata.uid, container)
        if not ended.get(container):
            return []
        if key not in self._logs:
            try:
                text = self._kube.log(pod.metadata.name, container, tail=_TAIL)
            except ClusterError:
                return []
            self._logs[key] = text.splitlines()
        return self._logs[key]


@dataclass(frozen=True, kw_only=True)
class ExperimentDiagnoser:
    """The causes of one experiment's trials and members, at one moment."""

    causes: Diagnoser
    kube: Kube
    name: str
    look: ExperimentObjects

    def trial(self, trial: KatibTrial) -> str | None:
        """Return why a trial failed or is stuck."""
        cause = trial_cause(self._observed[trial.metadata.labels[EXPERIMENT_LABEL]], trial)
        return str(cause) if cause else None

    def member(self, member: KatibExperiment) -> str | None:
        """Return why a member does not get on, or has failed."""
        cause = experiment_cause(self._observed[member.metadata.name])
        return str(cause) if cause else None

    @cached_property
    def _observed(self) -> Mapping[str, ExperimentContext]:
        return {each.metadata.name: self._observe(each) for each in self.look.sub_experiments}

    def _collector(self, trial: KatibTrial) -> list[str]:
        """Return the log of a trial's sidecar, of a trial that runs only if the sidecar failed."""
        for pod in self.look.pods:
            if pod.metadata.labels.get(TRIAL_LABEL) == trial.metadata.name:
                for each in pod.status.container_statuses:
                    ended = each.state.terminated
                    if each.name in COLLECTORS and ended and (ended.exit_code or trial.has_ended):
                        return self.causes.log(pod, each.name)
        return []

    def _observe(self, member: KatibExperiment) -> ExperimentContext:
        name = member.metadata.name
        trials = self.look.trials_of(member)
        suggestions = (each for each in self.look.suggestions if each.metadata.name == name)
        return ExperimentContext(
            namespace=self.kube.namespace,
            context=self.kube.context,
            name=self.name,
            experiment=member,
            suggestion=next(suggestions, None),
            trials=trials,
            jobs=self.look.jobs,
            pods=[each for each in self.look.pods if _may_be_of(each.metadata, name)],
            events=self.look.events,
            collector_logs={
                each.metadata.name: self._collector(each)
                for each in trials
                if each.objective is None
            },
            now=datetime.now(UTC),
        )


def _may_be_of(pod: ObjectMeta, member: str) -> bool:
    """Return whether a pod is not another member's; one that the webhook missed has no label."""
    return pod.labels.get(EXPERIMENT_LABEL, member) == member
