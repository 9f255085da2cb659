"""A pod with the events about it: the input of all probes of pods."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from housectl.backends.katib.katib_installation import COLLECTORS, config_command
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.base import Condition
from housectl.kube.objects.events import Event, events_about, latest_event
from housectl.kube.objects.pods import Container, ContainerStatus, Pod


@dataclass(frozen=True, kw_only=True)
class ConfigSource:
    """The settings from which a container was created.

    Attributes:
        image_hint: Advice for choosing another image.
        resources_hint: Advice for changing the resource requests.
    """

    image_hint: str
    resources_hint: str


TRAINER_CONFIG = ConfigSource(
    image_hint="choose another image: housectl tune --image IMAGE",
    resources_hint="its requests are set under katib: in housectl.yaml",
)


def katib_config_source(target: KubectlTarget) -> ConfigSource:
    """Return the settings of the containers that Katib adds: collectors and algorithm services."""
    edit = config_command(target)
    return ConfigSource(
        image_hint=f"choose another image: {edit}", resources_hint=f"change its requests: {edit}"
    )


@dataclass(frozen=True, kw_only=True)
class PodContext:
    """A pod at one moment, with its events.

    Attributes:
        events: Events of the namespace, including those about other objects.
        config_source: Settings of its containers, except for those that Katib adds.
    """

    target: KubectlTarget
    pod: Pod
    events: Sequence[Event]
    now: datetime
    config_source: ConfigSource = TRAINER_CONFIG

    @property
    def name(self) -> str:
        """Name of the pod."""
        return self.pod.metadata.name

    @property
    def age(self) -> timedelta:
        """Time since the pod was created."""
        return self.now - (self.pod.metadata.creation_timestamp or self.now)

    @property
    def running_time(self) -> timedelta:
        """Time for which all containers have been running; zero unless all are running."""
        states = [status.state.running for status in self.pod.status.container_statuses]
        starts = [state.started_at for state in states if state and state.started_at]
        return self.now - max(starts) if starts and len(starts) == len(states) else timedelta()

    @property
    def node(self) -> str:
        """The pod's node in words."""
        return f"the node {self.pod.spec.node_name}" if self.pod.spec.node_name else "its node"

    @property
    def pvcs(self) -> Sequence[str]:
        """Names of the PVCs that the pod mounts."""
        sources = [volume.persistent_volume_claim for volume in self.pod.spec.volumes]
        return [source.claim_name for source in sources if source]

    @property
    def node_command(self) -> str:
        """Command that describes the pod's node."""
        name = self.pod.spec.node_name
        return self.target.cluster_kubectl(f"describe node {name}" if name else "get nodes")

    @property
    def events_command(self) -> str:
        """Command that shows the events about the pod, even if it was deleted."""
        return self.target.kubectl(f"get events --field-selector involvedObject.name={self.name}")

    @property
    def describe_command(self) -> str:
        """Command that describes the pod."""
        return self.target.kubectl(f"describe pod {self.name}")

    def container_statuses(self) -> Iterator[ContainerStatus]:
        """Yield the statuses of all containers in starting order."""
        yield from self.pod.status.init_container_statuses
        yield from self.pod.status.container_statuses

    def container(self, name: str) -> Container:
        """Return a container of the pod's specification."""
        containers = [*self.pod.spec.init_containers, *self.pod.spec.containers]
        named = (container for container in containers if container.name == name)
        return next(named, Container(name=name))

    def config_source_of(self, container: Container) -> ConfigSource:
        """Return the settings from which a container of the pod was created."""
        is_collector = container.name in COLLECTORS
        return katib_config_source(self.target) if is_collector else self.config_source

    def describe_and_change_image(self, container: Container) -> str:
        """Return the hint for a container that needs another image."""
        return f"{self.describe_command}   # then {self.config_source_of(container).image_hint}"

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of this type, true or not."""
        conditions = self.pod.status.conditions
        return next((condition for condition in conditions if condition.type == kind), None)

    @property
    def own_events(self) -> Sequence[Event]:
        """The events about the pod."""
        return events_about(self.events, "Pod", self.pod.metadata)

    @property
    def started_containers(self) -> set[str]:
        """Names of the containers with a Started event."""
        return {event.container for event in self.own_events if event.reason == "Started"}

    def latest_event(self, *reasons: str, containing: str = "") -> Event | None:
        """Return the latest event about the pod with one of these reasons and this text."""
        events = [event for event in self.own_events if containing in event.message]
        return latest_event(events, *reasons)


class DeletedPodContext(PodContext):
    """A pod that is deleted or is about to be; only its events remain."""

    @property
    def describe_command(self) -> str:
        """Command that shows the pod's events."""
        return self.events_command


def newest_pod(pods: Sequence[Pod]) -> Pod:
    """Return the pod that was created last, of at least one."""
    return max(pods, key=_creation_seconds)


def _creation_seconds(pod: Pod) -> float:
    created = pod.metadata.creation_timestamp
    return created.timestamp() if created else 0.0
