"""What is read of the objects of Kubernetes and Katib: typed views that leave out all the rest."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar, dataclass_transform

import msgspec

_V = TypeVar("_V", bound="View")


@dataclass_transform(frozen_default=True)
class View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of an object as the API server sends it; what is absent there has a default here."""


def view(kind: type[_V], manifest: Mapping[str, object]) -> _V:
    """Return the view of an object.

    Raises:
        msgspec.ValidationError: It is no object of that kind.
    """
    return msgspec.convert(_without_nulls(manifest), kind)


def _without_nulls(value: object) -> object:
    """Return a value without the keys whose value is null: the API server means absent by it."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


class Owner(View):
    """What an object belongs to."""

    kind: str
    name: str


class ObjectMeta(View):
    """What every object says of itself."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[Owner] = []
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int = 0


class Named(View):
    """Any object."""

    metadata: ObjectMeta


class Condition(View):
    """A condition of any kind of object; `status` is True, False or Unknown."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether it is true."""
        return self.status == "True"


class Waiting(View):
    """Why a container has not started."""

    reason: str = ""
    message: str = ""


class Running(View):
    """Since when a container runs."""

    started_at: datetime | None = None


class Terminated(View):
    """How a container ended."""

    exit_code: int
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(View):
    """One of the three."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(View):
    """How a container of a pod stands."""

    name: str
    image: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class Resources(View):
    """What a container asks for and may use, as texts such as 500m and 4Gi."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class Container(View):
    """A container of a pod."""

    name: str
    image: str = ""
    image_pull_policy: str = ""
    command: list[str] = []
    args: list[str] = []
    resources: Resources = Resources()


class ClaimSource(View):
    """Which claim a volume is."""

    claim_name: str
    read_only: bool = False


class Volume(View):
    """A volume of a pod."""

    name: str
    persistent_volume_claim: ClaimSource | None = None


class PodSpec(View):
    """What a pod should be."""

    init_containers: list[Container] = []
    containers: list[Container] = []
    volumes: list[Volume] = []
    node_name: str = ""
    node_selector: dict[str, str] = {}
    service_account_name: str = ""


class PodStatus(View):
    """How a pod stands; `phase` is Pending, Running, Succeeded, Failed or Unknown."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class Pod(View):
    """A pod."""

    metadata: ObjectMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class PodTemplate(View):
    """What the pods of a job or a deployment should be."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class JobSpec(View):
    """What a job should be."""

    active_deadline_seconds: int | None = None
    backoff_limit: int | None = None
    template: PodTemplate = PodTemplate()


class JobStatus(View):
    """How a job stands; counts of its pods."""

    active: int = 0
    succeeded: int = 0
    failed: int = 0
    conditions: list[Condition] = []
    start_time: datetime | None = None
    completion_time: datetime | None = None


class Job(View):
    """A job of a trial or of a task."""

    metadata: ObjectMeta
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()


class DeploymentStatus(View):
    """How a deployment stands."""

    ready_replicas: int = 0
    conditions: list[Condition] = []


class Deployment(View):
    """The deployment of a suggestion service."""

    metadata: ObjectMeta
    status: DeploymentStatus = DeploymentStatus()


class Reference(View):
    """Which object an event is about."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Series(View):
    """How often an event has happened."""

    count: int = 0
    last_observed_time: datetime | None = None


class Event(View):
    """Something that happened to an object."""

    metadata: ObjectMeta = ObjectMeta()
    involved_object: Reference = Reference()
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int = 0
    series: Series = Series()
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None

    @property
    def times(self) -> int:
        """How often it has happened."""
        return max(self.count, self.series.count, 1)

    @property
    def latest(self) -> datetime | None:
        """When it happened last."""
        return (
            self.last_timestamp
            or self.series.last_observed_time
            or self.event_time
            or self.first_timestamp
        )


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


class ClaimSpec(View):
    """What a claim asks for."""

    access_modes: list[str] = []
    storage_class_name: str = ""
    volume_name: str = ""


class ClaimStatus(View):
    """How a claim stands; `phase` is Pending, Bound or Lost."""

    phase: str = ""


class Claim(View):
    """A persistent volume claim."""

    metadata: ObjectMeta
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


def find(conditions: list[Condition], kind: str) -> Condition | None:
    """Return the condition of this type if it holds."""
    return next((each for each in conditions if each.type == kind and each.holds), None)
