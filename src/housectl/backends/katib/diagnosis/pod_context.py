"""A pod as it was seen, with the events about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from housectl.backends.katib.katib_names import COLLECTORS, configuration
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.base import Condition
from housectl.kube.objects.events import Event, events_about, latest_event
from housectl.kube.objects.pods import Container, ContainerStatus, Pod


@dataclass(frozen=True, kw_only=True)
class ConfigSource:
    """How to change what a container is made of.

    Attributes:
        image: How to name another image.
        resources: Where it says how much it asks for.
    """

    image_hint: str
    resources_hint: str


TRAINER_CONFIG = ConfigSource(
    image_hint="name another: housectl tune --image IMAGE",
    resources_hint="what it asks for stands under katib: in housectl.yaml",
)


def katib_config_source(place: KubectlTarget) -> ConfigSource:
    """Return the origin of what Katib brings: collectors, and the services of algorithms."""
    edit = configuration(place)
    return ConfigSource(
        image_hint=f"name another: {edit}", resources_hint=f"what it asks for: {edit}"
    )


@dataclass(frozen=True, kw_only=True)
class PodContext:
    """A pod, and what is known of it.

    Attributes:
        events: Of the namespace; those about other objects are left out where they are read.
        origin: Of its containers, but for those that Katib adds.
    """

    target: KubectlTarget
    pod: Pod
    events: Sequence[Event]
    now: datetime
    config_source: ConfigSource = TRAINER_CONFIG

    @property
    def name(self) -> str:
        """Its name."""
        return self.pod.metadata.name

    @property
    def age(self) -> timedelta:
        """How long ago it was made."""
        return self.now - (self.pod.metadata.creation_timestamp or self.now)

    @property
    def running_time(self) -> timedelta:
        """For how long its containers have run; none while one of them does not."""
        states = [status.state.running for status in self.pod.status.container_statuses]
        starts = [state.started_at for state in states if state and state.started_at]
        return self.now - max(starts) if starts and len(starts) == len(states) else timedelta()

    @property
    def node(self) -> str:
        """Its node, in words."""
        return f"the node {self.pod.spec.node_name}" if self.pod.spec.node_name else "its node"

    @property
    def pvcs(self) -> Sequence[str]:
        """The claims that it mounts."""
        sources = [volume.persistent_volume_claim for volume in self.pod.spec.volumes]
        return [source.claim_name for source in sources if source]

    @property
    def node_command(self) -> str:
        """The command that describes its node."""
        name = self.pod.spec.node_name
        return self.target.cluster_kubectl(f"describe node {name}" if name else "get nodes")

    @property
    def events_command(self) -> str:
        """The command that shows the events about it, also when it is gone."""
        return self.target.kubectl(f"get events --field-selector involvedObject.name={self.name}")

    @property
    def describe_command(self) -> str:
        """The command that describes it."""
        return self.target.kubectl(f"describe pod {self.name}")

    def container_statuses(self) -> Iterator[ContainerStatus]:
        """Yield how its containers stand, in the order in which they start."""
        yield from self.pod.status.init_container_statuses
        yield from self.pod.status.container_statuses

    def container(self, name: str) -> Container:
        """Return a container of its specification."""
        known = [*self.pod.spec.init_containers, *self.pod.spec.containers]
        return next((each for each in known if each.name == name), Container(name=name))

    def config_source_of(self, container: Container) -> ConfigSource:
        """Return where it is written what one of its containers is made of."""
        return (
            katib_config_source(self.target) if container.name in COLLECTORS else self.config_source
        )

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of this type, whether it holds or not."""
        return next((each for each in self.pod.status.conditions if each.type == kind), None)

    @property
    def own_events(self) -> Sequence[Event]:
        """The events about it."""
        return events_about(self.events, "Pod", self.pod.metadata)

    @property
    def started_containers(self) -> set[str]:
        """The containers of which events tell that they have started."""
        return {event.container for event in self.own_events if event.reason == "Started"}

    def latest_event(self, *reasons: str, containing: str = "") -> Event | None:
        """Return the newest event about it with one of these reasons that says this."""
        return latest_event(
            [event for event in self.own_events if containing in event.message], *reasons
        )


class DeletedPodContext(PodContext):
    """A pod that is gone, or will be at once: the events about it can still be looked at."""

    @property
    def describe_command(self) -> str:
        """The command that shows what happened to it."""
        return self.events_command


def newest_pod(pods: Sequence[Pod]) -> Pod:
    """Return the pod that was made last, of at least one."""
    return max(pods, key=_creation_seconds)


def _creation_seconds(pod: Pod) -> float:
    created = pod.metadata.creation_timestamp
    return created.timestamp() if created else 0.0
