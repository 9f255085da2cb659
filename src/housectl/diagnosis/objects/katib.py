"""Katib's own kinds."""

from datetime import datetime

from housectl.diagnosis.objects.base import Condition, ObjectMeta, View


class ParameterAssignment(View):
    """One value of an assignment, as text."""

    name: str
    value: str


class Metric(View):
    """An observed metric, as texts; `unavailable` where there is none."""

    name: str
    min: str = "unavailable"
    max: str = "unavailable"
    latest: str = "unavailable"


class Observation(View):
    """The metrics of a trial."""

    metrics: list[Metric] = []


class Objective(View):
    """What is to become small or great."""

    objective_metric_name: str = ""


class CollectorKind(View):
    """How metrics are collected: StdOut, File, Push and others."""

    kind: str = "StdOut"


class MetricsCollector(View):
    """What collects metrics."""

    collector: CollectorKind = CollectorKind()


class TrialSpec(View):
    """What a Katib trial should be."""

    objective: Objective = Objective()
    parameter_assignments: list[ParameterAssignment] = []
    primary_container_name: str = ""
    metrics_collector: MetricsCollector = MetricsCollector()


class TrialStatus(View):
    """How a Katib trial stands."""

    conditions: list[Condition] = []
    observation: Observation = Observation()
    start_time: datetime | None = None
    completion_time: datetime | None = None


class KatibTrial(View):
    """A Katib trial."""

    metadata: ObjectMeta
    spec: TrialSpec = TrialSpec()
    status: TrialStatus = TrialStatus()


class Algorithm(View):
    """How assignments are chosen."""

    algorithm_name: str = ""


class ExperimentSpec(View):
    """What a Katib experiment should be."""

    algorithm: Algorithm = Algorithm()
    objective: Objective = Objective()
    max_trial_count: int | None = None
    parallel_trial_count: int | None = None
    max_failed_trial_count: int | None = None


class OptimalTrial(View):
    """Which trial Katib takes for the best."""

    best_trial_name: str = ""
    observation: Observation = Observation()


class ExperimentStatus(View):
    """How a Katib experiment stands; Katib leaves out counts of zero."""

    conditions: list[Condition] = []
    trials: int = 0
    trials_succeeded: int = 0
    trials_failed: int = 0
    trials_running: int = 0
    trials_pending: int = 0
    trial_metrics_unavailable: int = 0
    running_trial_list: list[str] = []
    current_optimal_trial: OptimalTrial = OptimalTrial()
    start_time: datetime | None = None


class KatibExperiment(View):
    """A Katib experiment."""

    metadata: ObjectMeta
    spec: ExperimentSpec = ExperimentSpec()
    status: ExperimentStatus = ExperimentStatus()


class SuggestionSpec(View):
    """What an experiment asks of its suggestion."""

    algorithm: Algorithm = Algorithm()
    requests: int = 0


class SuggestionStatus(View):
    """How a suggestion stands."""

    conditions: list[Condition] = []
    suggestion_count: int = 0


class Suggestion(View):
    """What chooses an experiment's assignments."""

    metadata: ObjectMeta
    spec: SuggestionSpec = SuggestionSpec()
    status: SuggestionStatus = SuggestionStatus()
