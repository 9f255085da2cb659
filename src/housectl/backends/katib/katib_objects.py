"""Katib's own kinds, and models of their objects."""

import math
from datetime import datetime

from housectl.kube.kinds import Kind
from housectl.kube.objects.base import (
    Condition,
    KubeObject,
    ObjectMeta,
    first_true_condition,
    true_condition,
)

EXPERIMENTS = Kind("kubeflow.org", "v1beta1", "experiments")
TRIALS = Kind("kubeflow.org", "v1beta1", "trials")
SUGGESTIONS = Kind("kubeflow.org", "v1beta1", "suggestions")

_TRIAL_ENDS = ("Failed", "MetricsUnavailable", "Killed", "EarlyStopped", "Succeeded")
_TRIAL_FAILURES = ("Failed", "MetricsUnavailable")
_EXPERIMENT_ENDS = ("Succeeded", "Failed")


class ParameterAssignment(KubeObject):
    """One value of an assignment, as text."""

    name: str
    value: str


class Metric(KubeObject):
    """An observed metric, as texts; `unavailable` where there is none."""

    name: str
    min: str = "unavailable"
    max: str = "unavailable"
    latest: str = "unavailable"

    @property
    def number(self) -> float | None:
        """Its value, if it is a finite number."""
        numbers = (finite_number(text) for text in (self.latest, self.min))
        return next((each for each in numbers if each is not None), None)


def finite_number(text: str) -> float | None:
    """Return the number that a text is, if it is a finite one."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class Observation(KubeObject):
    """The metrics of a trial."""

    metrics: list[Metric] = []


class Objective(KubeObject):
    """What is to become small or great."""

    objective_metric_name: str = ""


class CollectorKind(KubeObject):
    """How metrics are collected: StdOut, File, Push and others."""

    kind: str = "StdOut"


class MetricsCollector(KubeObject):
    """What collects metrics."""

    collector: CollectorKind = CollectorKind()


class TrialSpec(KubeObject):
    """What a Katib trial should be."""

    objective: Objective = Objective()
    parameter_assignments: list[ParameterAssignment] = []
    primary_container_name: str = ""
    metrics_collector: MetricsCollector = MetricsCollector()


class TrialStatus(KubeObject):
    """How a Katib trial stands."""

    conditions: list[Condition] = []
    observation: Observation = Observation()
    start_time: datetime | None = None
    completion_time: datetime | None = None


class KatibTrial(KubeObject):
    """A Katib trial."""

    metadata: ObjectMeta
    spec: TrialSpec = TrialSpec()
    status: TrialStatus = TrialStatus()

    @property
    def end(self) -> Condition | None:
        """The condition that it has ended with, if it has."""
        return first_true_condition(self.status.conditions, _TRIAL_ENDS)

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, well or not."""
        return self.end is not None

    @property
    def has_succeeded(self) -> bool:
        """Whether Katib takes it for a success, which says nothing of its objective."""
        return true_condition(self.status.conditions, "Succeeded") is not None

    @property
    def has_failed(self) -> bool:
        """Whether Katib counts it against the limit of failed trials."""
        return first_true_condition(self.status.conditions, _TRIAL_FAILURES) is not None

    @property
    def objective(self) -> float | None:
        """What Katib observed of its objective, if it is a finite number."""
        name = self.spec.objective.objective_metric_name
        numbers = (each.number for each in self.status.observation.metrics if each.name == name)
        return next((each for each in numbers if each is not None), None)


class Algorithm(KubeObject):
    """How assignments are chosen."""

    algorithm_name: str = ""


class ExperimentSpec(KubeObject):
    """What a Katib experiment should be."""

    algorithm: Algorithm = Algorithm()
    max_trial_count: int = 0
    parallel_trial_count: int = 0
    max_failed_trial_count: int = 0


class OptimalTrial(KubeObject):
    """Which trial Katib takes for the best."""

    best_trial_name: str = ""


class ExperimentStatus(KubeObject):
    """How a Katib experiment stands; Katib leaves out counts of zero."""

    conditions: list[Condition] = []
    trials: int = 0
    running_trial_list: list[str] = []
    current_optimal_trial: OptimalTrial = OptimalTrial()


class KatibExperiment(KubeObject):
    """A Katib experiment."""

    metadata: ObjectMeta
    spec: ExperimentSpec = ExperimentSpec()
    status: ExperimentStatus = ExperimentStatus()

    @property
    def has_ended(self) -> bool:
        """Whether Katib starts no more trials of it."""
        return first_true_condition(self.status.conditions, _EXPERIMENT_ENDS) is not None

    @property
    def has_failed(self) -> bool:
        """Whether it has ended without what it was made for."""
        return true_condition(self.status.conditions, "Failed") is not None

    @property
    def ended_at(self) -> datetime | None:
        """When it has ended, if it has."""
        end = first_true_condition(self.status.conditions, _EXPERIMENT_ENDS)
        return end.last_transition_time if end else None


class SuggestionSpec(KubeObject):
    """What an experiment asks of its suggestion; Katib leaves out counts of zero."""

    requests: int = 0


class SuggestionStatus(KubeObject):
    """How a suggestion stands."""

    conditions: list[Condition] = []
    suggestion_count: int = 0


class Suggestion(KubeObject):
    """What chooses an experiment's assignments."""

    metadata: ObjectMeta
    spec: SuggestionSpec = SuggestionSpec()
    status: SuggestionStatus = SuggestionStatus()
