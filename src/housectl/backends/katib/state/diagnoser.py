"""Causes of failed or stuck trials, experiments and tasks, and the logs that diagnosis needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from housectl.backends.katib.diagnosis.experiment import search_cause
from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.backends.katib.diagnosis.job import task_cause
from housectl.backends.katib.diagnosis.trial import trial_cause
from housectl.backends.katib.katib_installation import COLLECTORS
from housectl.backends.katib.katib_objects import KatibExperiment, KatibTrial
from housectl.backends.katib.labels_and_paths import EXPERIMENT_LABEL, TRIAL_LABEL
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.state.cluster_objects import ExperimentObjects, TaskObjects
from housectl.backends.katib.state.resource_groups import needs_diagnosis
from housectl.errors import ClusterError
from housectl.kube.client import Kube
from housectl.kube.objects.base import ObjectMeta
from housectl.kube.objects.pods import Pod

_MAX_LOG_LINES = 200
# Each log is a request, and some tens of causes explain a search.
_MAX_LOGS = 50


class Diagnoser:
    """Finds causes; it reads each log at most once, after its container has ended.

    Args:
        kube: A client for the namespace of the objects.
    """

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._logs: dict[tuple[str, str], list[str]] = {}

    def for_experiment(self, name: str, objects: ExperimentObjects) -> "ExperimentDiagnoser":
        """Return the diagnoser of one experiment."""
        return ExperimentDiagnoser(diagnoser=self, kube=self._kube, name=name, objects=objects)

    def task_cause(self, objects: TaskObjects) -> str | None:
        """Return the cause if a task has failed or is stuck."""
        lines = [line for pod in objects.pods for line in self.log(pod, CONTAINER)]
        cause = task_cause(
            objects.jobs[0],
            objects.pods,
            objects.events,
            namespace=self._kube.namespace,
            context=self._kube.context,
            trainer_lines=lines,
            now=datetime.now(UTC),
        )
        return str(cause) if cause else None

    def log(self, pod: Pod, container: str) -> list[str]:
        """Return the last lines of a container; empty before its end or if unavailable."""
        statuses = pod.status.container_statuses
        key = (pod.metadata.uid, container)
        if not any(item.name == container and item.state.terminated for item in statuses):
            return []
        if key not in self._logs:
            try:
                text = self._kube.log(pod.metadata.name, container, tail=_MAX_LOG_LINES)
            except ClusterError:
                return []
            self._logs[key] = text.splitlines()
        return self._logs[key]


@dataclass(frozen=True, kw_only=True)
class ExperimentDiagnoser:
    """Finds the causes of one experiment's trials and sub-experiments, at one moment."""

    diagnoser: Diagnoser
    kube: Kube
    name: str
    objects: ExperimentObjects

    def trial_cause(self, trial: KatibTrial) -> str | None:
        """Return the cause if a trial has failed or is stuck."""
        cause = trial_cause(self._contexts[trial.metadata.labels[EXPERIMENT_LABEL]], trial)
        return str(cause) if cause else None

    def search_cause(self, sub_experiments: Sequence[KatibExperiment]) -> str | None:
        """Return the cause if one of these sub-experiments has failed or is stuck."""
        cause = search_cause([self._contexts[item.metadata.name] for item in sub_experiments])
        return str(cause) if cause else None

    @cached_property
    def _contexts(self) -> Mapping[str, ExperimentContext]:
        return {item.metadata.name: self._context(item) for item in self.objects.sub_experiments}

    @cached_property
    def _pods_by_trial(self) -> Mapping[str, Sequence[Pod]]:
        pods: dict[str, list[Pod]] = {}
        for pod in self.objects.pods:
            pods.setdefault(pod.metadata.labels.get(TRIAL_LABEL, ""), []).append(pod)
        return pods

    def _collector_logs(self, trials: Sequence[KatibTrial]) -> Mapping[str, Sequence[str]]:
        """Return the logs of the collectors of some trials without an objective."""
        diagnosed = [trial for trial in trials if needs_diagnosis(trial)]
        ended = [trial for trial in diagnosed if trial.has_ended][-_MAX_LOGS:]
        active = [trial for trial in diagnosed if not trial.has_ended]
        return {trial.metadata.name: self._collector_log(trial) for trial in (*ended, *active)}

    def _collector_log(self, trial: KatibTrial) -> Sequence[str]:
        """Return the log of a trial's collector if the trial has ended or the collector failed."""
        for pod in self._pods_by_trial.get(trial.metadata.name, ()):
            for status in pod.status.container_statuses:
                end = status.state.terminated
                if status.name in COLLECTORS and end and (end.exit_code or trial.has_ended):
                    return self.diagnoser.log(pod, status.name)
        return ()

    def _context(self, sub_experiment: KatibExperiment) -> ExperimentContext:
        name = sub_experiment.metadata.name
        trials = self.objects.trials_of(sub_experiment)
        suggestions = (item for item in self.objects.suggestions if item.metadata.name == name)
        return ExperimentContext(
            namespace=self.kube.namespace,
            context=self.kube.context,
            name=self.name,
            experiment=sub_experiment,
            suggestion=next(suggestions, None),
            trials=trials,
            jobs=self.objects.jobs,
            pods=[pod for pod in self.objects.pods if _may_belong_to(pod.metadata, name)],
            events=self.objects.events,
            collector_logs=self._collector_logs(trials),
            now=datetime.now(UTC),
        )


def _may_belong_to(pod: ObjectMeta, sub_experiment: str) -> bool:
    """Return True unless a pod is another sub-experiment's; without the webhook it has no label."""
    return pod.labels.get(EXPERIMENT_LABEL, sub_experiment) == sub_experiment
