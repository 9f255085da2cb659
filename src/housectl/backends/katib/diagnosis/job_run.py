"""An attempt: the job of a trial or of a task, with its pods."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from housectl.backends.katib.diagnosis.pod_context import DeletedPodContext, PodContext, newest_pod
from housectl.backends.katib.katib_names import COLLECTORS
from housectl.backends.katib.katib_objects import finite_number
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.base import ObjectMeta
from housectl.kube.objects.events import Event, events_about, events_since, latest_event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Container, ContainerState, Pod, Running, Terminated


@dataclass(frozen=True, kw_only=True)
class JobRun:
    """What is known of one run of the trainer.

    Attributes:
        name: The job's name, which is also the trial's or the task's.
        pods: Those of the job.
        events: Of the namespace.
        primary: Name of the trainer's container; empty for the first one.
        lines: What the trainer printed, as far as it is known.
        logs: The command that shows what it printed.
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
        """Its newest pod."""
        if not self.pods:
            return None
        return PodContext(
            target=self.target, pod=newest_pod(self.pods), events=self.events, now=self.now
        )

    @property
    def deleted_pod(self) -> DeletedPodContext | None:
        """Its newest pod of which events tell, if it had one."""
        if self.job is None:
            return None
        told = [
            event
            for event in events_since(self.events, self.job.metadata.creation_timestamp)
            if event.involved_object.kind == "Pod"
            and event.involved_object.name.rpartition("-")[0] == self.name
        ]
        if (event := latest_event(told)) is None:
            return None
        metadata = ObjectMeta(name=event.involved_object.name, uid=event.involved_object.uid)
        pod = Pod(metadata=metadata, spec=self.job.spec.template.spec)
        return DeletedPodContext(target=self.target, pod=pod, events=self.events, now=self.now)

    @property
    def job_events(self) -> Sequence[Event]:
        """The events about its job."""
        return events_about(self.events, "Job", self.job.metadata) if self.job else []

    @property
    def trainer_container(self) -> Container | None:
        """The trainer's container, as it should be."""
        containers = self.pod.pod.spec.containers if self.pod else []
        named = [each for each in containers if each.name == self.primary_container]
        others = [each for each in containers if each.name not in COLLECTORS]
        return next(iter(named or others), None)

    @property
    def trainer_deadline(self) -> float | None:
        """The seconds after which the trainer ends itself, if its command says so."""
        containers = self.job.spec.template.spec.containers if self.job else []
        given = (pair for each in containers for pair in pairwise(each.command))
        return next(
            (finite_number(value) for option, value in given if option == "--deadline"), None
        )

    @property
    def termination(self) -> Terminated | None:
        """How the trainer's container ended, if it has."""
        return self.termination_of(self.trainer_container.name) if self.trainer_container else None

    @property
    def running(self) -> Running | None:
        """Since when the trainer's container runs, if it does."""
        return self._state(self.trainer_container.name).running if self.trainer_container else None

    @property
    def healthy(self) -> bool:
        """Whether the trainer runs, or has ended well."""
        return self.termination.exit_code == 0 if self.termination else self.running is not None

    @property
    def started_at(self) -> datetime | None:
        """When the trainer's container started, if it is known."""
        started = self.running or self.termination
        return started.started_at if started else None

    def termination_of(self, container: str) -> Terminated | None:
        """Return how a container ended, if it has."""
        return self._state(container).terminated

    def _state(self, container: str) -> ContainerState:
        statuses = self.pod.pod.status.container_statuses if self.pod else []
        states = (each.state for each in statuses if each.name == container)
        return next(states, ContainerState())


def pods_of(job: str, pods: Sequence[Pod]) -> list[Pod]:
    """Return the pods of the job with this name."""
    return [
        pod
        for pod in pods
        if any(owner.kind == "Job" and owner.name == job for owner in pod.metadata.owner_references)
    ]
