"""The job of a trial or a task with its pods: the input of all probes of jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from housectl.backends.katib.diagnosis.pod_context import DeletedPodContext, PodContext, newest_pod
from housectl.backends.katib.katib_installation import COLLECTORS
from housectl.backends.katib.katib_objects import finite_number
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.base import ObjectMeta
from housectl.kube.objects.events import Event, events_about, events_since, latest_event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Container, ContainerState, Pod, Running, Terminated


@dataclass(frozen=True, kw_only=True)
class JobRun:
    """One run of the trainer on the cluster, at one moment.

    Attributes:
        name: Name of the job, which is also that of the trial or task.
        job: The job; None if it does not exist.
        pods: Pods of the job.
        events: Events of the namespace, including those about other objects.
        primary_container: Name of the trainer's container; empty for the first one.
        trainer_lines: Lines that the trainer printed, as far as its log could be read.
        logs_command: Command that shows the trainer's output.
    """

    target: KubectlTarget
    name: str
    job: Job | None
    pods: Sequence[Pod]
    events: Sequence[Event]
    now: datetime
    primary_container: str
    trainer_lines: Sequence[str]
    logs_command: str

    @property
    def pod(self) -> PodContext | None:
        """The newest pod of the job."""
        if not self.pods:
            return None
        return PodContext(
            target=self.target, pod=newest_pod(self.pods), events=self.events, now=self.now
        )

    @property
    def deleted_pod(self) -> DeletedPodContext | None:
        """The job's newest pod according to its events."""
        if self.job is None:
            return None
        pod_events = [
            event
            for event in events_since(self.events, self.job.metadata.creation_timestamp)
            if event.involved_object.kind == "Pod"
            and event.involved_object.name.rpartition("-")[0] == self.name
        ]
        if (event := latest_event(pod_events)) is None:
            return None
        metadata = ObjectMeta(name=event.involved_object.name, uid=event.involved_object.uid)
        pod = Pod(metadata=metadata, spec=self.job.spec.template.spec)
        return DeletedPodContext(target=self.target, pod=pod, events=self.events, now=self.now)

    @property
    def job_events(self) -> Sequence[Event]:
        """The events about the job."""
        return events_about(self.events, "Job", self.job.metadata) if self.job else []

    @property
    def trainer_container(self) -> Container | None:
        """The trainer's container in the pod's specification."""
        containers = self.pod.pod.spec.containers if self.pod else []
        primary = [each for each in containers if each.name == self.primary_container]
        others = [each for each in containers if each.name not in COLLECTORS]
        return next(iter(primary or others), None)

    @property
    def trainer_deadline(self) -> float | None:
        """Seconds after which the trainer ends itself, from the options of its command."""
        containers = self.job.spec.template.spec.containers if self.job else []
        options = (pair for container in containers for pair in pairwise(container.command))
        return next(
            (finite_number(value) for option, value in options if option == "--deadline"), None
        )

    @property
    def termination(self) -> Terminated | None:
        """The terminated state of the trainer's container; None if it has not terminated."""
        return self.termination_of(self.trainer_container.name) if self.trainer_container else None

    @property
    def running(self) -> Running | None:
        """The running state of the trainer's container; None if it is not running."""
        return self._state(self.trainer_container.name).running if self.trainer_container else None

    @property
    def healthy(self) -> bool:
        """True if the trainer is running or has succeeded."""
        return self.termination.exit_code == 0 if self.termination else self.running is not None

    @property
    def started_at(self) -> datetime | None:
        """Start time of the trainer's container, if known."""
        started = self.running or self.termination
        return started.started_at if started else None

    def termination_of(self, container: str) -> Terminated | None:
        """Return the terminated state of a container; None if it has not terminated."""
        return self._state(container).terminated

    def _state(self, container: str) -> ContainerState:
        statuses = self.pod.pod.status.container_statuses if self.pod else []
        states = (status.state for status in statuses if status.name == container)
        return next(states, ContainerState())


def job_of(pod: Pod) -> str | None:
    """Return the name of the job that created a pod; None if another object created it."""
    owners = pod.metadata.owner_references
    return next((owner.name for owner in owners if owner.kind == "Job"), None)
