"""What makes pods: jobs and deployments."""

from datetime import datetime

from housectl.diagnosis.objects.base import Condition, ObjectMeta, View
from housectl.diagnosis.objects.pods import PodSpec


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
