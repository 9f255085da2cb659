"""Jobs."""

from datetime import datetime

from housectl.kube.objects.base import (
    Condition,
    KubeObject,
    NamedObject,
    ObjectMeta,
    first_true_condition,
)
from housectl.kube.objects.pods import PodSpec

_END_CONDITIONS = ("Complete", "Failed")
_FAILURE_CONDITIONS = ("Failed", "FailureTarget")
# Kubernetes sets these conditions before the last pod of the job has ended.
_DECIDING_CONDITIONS = ("Complete", "SuccessCriteriaMet", *_FAILURE_CONDITIONS)


class PodTemplate(KubeObject):
    """The template of a job's pods."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class JobSpec(KubeObject):
    """The specification of a job."""

    active_deadline_seconds: int | None = None
    template: PodTemplate = PodTemplate()


class JobStatus(KubeObject):
    """The status of a job; `active` is the number of its pods that have not ended."""

    active: int = 0
    conditions: list[Condition] = []
    completion_time: datetime | None = None


class Job(NamedObject):
    """A job."""

    metadata: ObjectMeta
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()

    @property
    def has_ended(self) -> bool:
        """True if the job and all its pods have ended."""
        return first_true_condition(self.status.conditions, _END_CONDITIONS) is not None

    @property
    def ended_at(self) -> datetime | None:
        """Time of its end; None before."""
        end = first_true_condition(self.status.conditions, _END_CONDITIONS)
        return end.last_transition_time if end else None

    @property
    def is_decided(self) -> bool:
        """True if the job creates no more pods; the last ones may still be ending."""
        return first_true_condition(self.status.conditions, _DECIDING_CONDITIONS) is not None

    @property
    def has_failed(self) -> bool:
        """True if the job has failed; its last pods may still be ending."""
        return first_true_condition(self.status.conditions, _FAILURE_CONDITIONS) is not None

    @property
    def is_past_deadline(self) -> bool:
        """True if Kubernetes ended the job at its deadline."""
        conditions = self.status.conditions
        return any(item.reason == "DeadlineExceeded" and item.is_true for item in conditions)
