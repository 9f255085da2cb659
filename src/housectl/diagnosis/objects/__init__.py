"""What is read of the objects of Kubernetes and Katib: typed views that leave out all the rest."""

from housectl.diagnosis.objects.base import (
    Condition,
    Named,
    ObjectMeta,
    View,
    find,
    view,
)
from housectl.diagnosis.objects.claims import (
    Claim,
    inputs_mark,
)
from housectl.diagnosis.objects.events import (
    Event,
    Reference,
)
from housectl.diagnosis.objects.katib import (
    CollectorKind,
    ExperimentStatus,
    KatibExperiment,
    KatibTrial,
    MetricsCollector,
    Observation,
    Suggestion,
    SuggestionSpec,
    SuggestionStatus,
    finite_number,
)
from housectl.diagnosis.objects.pods import (
    ClaimSource,
    Container,
    ContainerState,
    ContainerStatus,
    Pod,
    Running,
    Terminated,
    Volume,
    Waiting,
)
from housectl.diagnosis.objects.workloads import (
    STOPPING_SECONDS,
    Job,
    JobSpec,
    JobStatus,
    PodTemplate,
)

__all__ = [
    "STOPPING_SECONDS",
    "Claim",
    "ClaimSource",
    "CollectorKind",
    "Condition",
    "Container",
    "ContainerState",
    "ContainerStatus",
    "Event",
    "ExperimentStatus",
    "Job",
    "JobSpec",
    "JobStatus",
    "KatibExperiment",
    "KatibTrial",
    "MetricsCollector",
    "Named",
    "ObjectMeta",
    "Observation",
    "Pod",
    "PodTemplate",
    "Reference",
    "Running",
    "Suggestion",
    "SuggestionSpec",
    "SuggestionStatus",
    "Terminated",
    "View",
    "Volume",
    "Waiting",
    "find",
    "finite_number",
    "inputs_mark",
    "view",
]
