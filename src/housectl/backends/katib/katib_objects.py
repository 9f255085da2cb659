"""Katib's own kinds, and models of their objects."""

import math
from datetime import datetime
from typing import ClassVar

from housectl.kube.kinds import Kind
from housectl.kube.objects.base import (
    Condition,
    KubeObject,
    NamedObject,
    ObjectMeta,
    first_true_condition,
    true_condition,
)

EXPERIMENTS = Kind("kubeflow.org", "v1beta1", "experiments")
TRIALS = Kind("kubeflow.org", "v1beta1", "trials")
SUGGESTIONS = Kind("kubeflow.org", "v1beta1", "suggestions")

_TRIAL_END_CONDITIONS = ("Failed", "MetricsUnavailable", "Killed", "EarlyStopped", "Succeeded")
_TRIAL_FAILURE_CONDITIONS = ("Failed", "MetricsUnavailable")
_EXPERIMENT_END_CONDITIONS = ("Succeeded", "Failed")


class ParameterAssignment(KubeObject):
    """One value of an assignment, as text."""

    name: str
    value: str


class Metric(KubeObject):
    """An observed metric; its values are texts, `unavailable` if Katib has none."""

    name: str
    min: str = "unavailable"
    max: str = "unavailable"
    latest: str = "unavailable"

    @property
    def number(self) -> float | None:
        """Its value; None if it is not a finite number."""
        latest = finite_number(self.latest)
        return finite_number(self.min) if latest is None else latest


def finite_number(text: str) -> float | None:
    """Return the number in a text; None if it is not a finite number."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class Observation(KubeObject):
    """The metrics of a trial."""

    metrics: list[Metric] = []

    def number(self, name: str) -> float | None:
        """Return the value of a metric; None if it is not a finite number."""
        for metric in self.metrics:
            if metric.name == name and (number := metric.number) is not None:
                return number
        return None


class Objective(KubeObject):
    """The metric that the search minimises."""

    objective_metric_name: str = ""


class CollectorKind(KubeObject):
    """The kind of a metrics collector: StdOut, File, Push and others."""

    kind: str = "StdOut"


class MetricsCollector(KubeObject):
    """The metrics collector of a trial."""

    collector: CollectorKind = CollectorKind()


class TrialSpec(KubeObject):
    """The specification of a Katib trial."""

    objective: Objective = Objective()
    parameter_assignments: list[ParameterAssignment] = []
    primary_container_name: str = ""
    metrics_collector: MetricsCollector = MetricsCollector()


class TrialStatus(KubeObject):
    """The status of a Katib trial."""

    conditions: list[Condition] = []
    observation: Observation = Observation()
    start_time: datetime | None = None
    completion_time: datetime | None = None


# A command reads the end and the objective of each trial several times, so they are kept. A field
# of the struct would have to be a field of Katib's object.
class KatibTrial(NamedObject, dict=True, gc=True):
    """A Katib trial.

    Attributes:
        end: The condition of its end; None before.
        objective: The objective that Katib observed; None if it is not a finite number.
        has_ended: True if the trial has ended, successfully or not.
        has_succeeded: True if Katib counts the trial as succeeded; it may still lack an objective.
    """

    end: ClassVar[Condition | None]
    objective: ClassVar[float | None]
    has_ended: ClassVar[bool]
    has_succeeded: ClassVar[bool]

    metadata: ObjectMeta
    spec: TrialSpec = TrialSpec()
    status: TrialStatus = TrialStatus()

    def __post_init__(self) -> None:
        end = first_true_condition(self.status.conditions, _TRIAL_END_CONDITIONS)
        self.__dict__.update(
            end=end,
            objective=self.metric(self.spec.objective.objective_metric_name),
            has_ended=end is not None,
            has_succeeded=true_condition(self.status.conditions, "Succeeded") is not None,
        )

    @property
    def has_failed(self) -> bool:
        """True if Katib counts the trial against the limit of failed trials."""
        return first_true_condition(self.status.conditions, _TRIAL_FAILURE_CONDITIONS) is not None

    def metric(self, name: str) -> float | None:
        """Return the value of a metric that Katib observed; None if it is not a finite number."""
        return self.status.observation.number(name)


class Algorithm(KubeObject):
    """The algorithm that chooses assignments."""

    algorithm_name: str = ""


class ExperimentSpec(KubeObject):
    """The specification of a Katib experiment."""

    algorithm: Algorithm = Algorithm()
    max_trial_count: int = 0
    parallel_trial_count: int = 0
    max_failed_trial_count: int = 0
    objective: Objective = Objective()


class OptimalTrial(KubeObject):
    """The best trial according to Katib."""

    best_trial_name: str = ""
    observation: Observation = Observation()


class ExperimentStatus(KubeObject):
    """The status of a Katib experiment; Katib omits counts of zero."""

    conditions: list[Condition] = []
    trials: int = 0
    trials_succeeded: int = 0
    trials_failed: int = 0
    trials_killed: int = 0
    trials_early_stopped: int = 0
    trial_metrics_unavailable: int = 0
    trials_pending: int = 0
    trials_running: int = 0
    running_trial_list: list[str] = []
    current_optimal_trial: OptimalTrial = OptimalTrial()

    @property
    def active_trials(self) -> int:
        """Number of trials that have not ended."""
        return self.trials_pending + self.trials_running

    @property
    def unsuccessful_trials(self) -> int:
        """Number of trials that ended without success."""
        return (
            self.trials_failed
            + self.trials_killed
            + self.trials_early_stopped
            + self.trial_metrics_unavailable
        )


class KatibExperiment(NamedObject):
    """A Katib experiment."""

    metadata: ObjectMeta
    spec: ExperimentSpec = ExperimentSpec()
    status: ExperimentStatus = ExperimentStatus()

    @property
    def has_ended(self) -> bool:
        """True if Katib starts no more trials of the experiment."""
        return first_true_condition(self.status.conditions, _EXPERIMENT_END_CONDITIONS) is not None

    @property
    def has_failed(self) -> bool:
        """True if the experiment has failed."""
        return true_condition(self.status.conditions, "Failed") is not None

    @property
    def optimum(self) -> float | None:
        """The lowest objective according to Katib; None if it is not a finite number.

        Katib takes a trial without a number for the best one.
        """
        observation = self.status.current_optimal_trial.observation
        return observation.number(self.spec.objective.objective_metric_name)

    @property
    def ended_at(self) -> datetime | None:
        """Time of its end; None before."""
        end = first_true_condition(self.status.conditions, _EXPERIMENT_END_CONDITIONS)
        return end.last_transition_time if end else None


class SuggestionSpec(KubeObject):
    """The specification of a suggestion; Katib omits counts of zero."""

    requests: int = 0


class SuggestionStatus(KubeObject):
    """The status of a suggestion."""

    conditions: list[Condition] = []
    suggestion_count: int = 0


class Suggestion(NamedObject):
    """A suggestion: the service that chooses an experiment's assignments."""

    metadata: ObjectMeta
    spec: SuggestionSpec = SuggestionSpec()
    status: SuggestionStatus = SuggestionStatus()
