"""What makes pods: jobs."""

from datetime import datetime

from housectl.kube.objects.base import Condition, KubeObject, ObjectMeta, first_true_condition
from housectl.kube.objects.pods import PodSpec

# What a job of a search that is stopped gets as its deadline: nobody wants a training that short.
STOPPING_SECONDS = 1

_ENDS = ("Complete", "Failed")
_FAILURES = ("Failed", "FailureTarget")
# Kubernetes says how a job ends before the last of its pods has ended.
_DECISIONS = ("Complete", "SuccessCriteriaMet", *_FAILURES)


class PodTemplate(KubeObject):
    """What the pods of a job should be."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class JobSpec(KubeObject):
    """What a job should be."""

    active_deadline_seconds: int | None = None
    template: PodTemplate = PodTemplate()


class JobStatus(KubeObject):
    """How a job stands; `active` counts its pods that have not ended."""

    active: int = 0
    conditions: list[Condition] = []
    completion_time: datetime | None = None


class Job(KubeObject):
    """A job of a trial or of a task."""

    metadata: ObjectMeta
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, and its pods have."""
        return first_true_condition(self.status.conditions, _ENDS) is not None

    @property
    def ended_at(self) -> datetime | None:
        """When it has ended, if it has."""
        end = first_true_condition(self.status.conditions, _ENDS)
        return end.last_transition_time if end else None

    @property
    def is_decided(self) -> bool:
        """Whether it makes no more pods; the last ones may still be ending."""
        return first_true_condition(self.status.conditions, _DECISIONS) is not None

    @property
    def has_failed(self) -> bool:
        """Whether it has failed; its last pods may still be ending."""
        return first_true_condition(self.status.conditions, _FAILURES) is not None

    @property
    def is_past_deadline(self) -> bool:
        """Whether Kubernetes ended it for the time that it took."""
        conditions = self.status.conditions
        return any(each.reason == "DeadlineExceeded" and each.is_true for each in conditions)

    @property
    def was_stopped(self) -> bool:
        """Whether it ended with its search, which was stopped."""
        return self.is_past_deadline and self.spec.active_deadline_seconds == STOPPING_SECONDS
