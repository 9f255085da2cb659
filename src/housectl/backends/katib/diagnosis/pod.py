"""A pod as it was seen, with the events about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from housectl.backends.katib.diagnosis.cause import KubectlTarget
from housectl.backends.katib.diagnosis.config_source import TRAINER, ConfigSource, of_katib
from housectl.backends.katib.katib_names import COLLECTORS
from housectl.kube.objects.base import Condition, ObjectMeta
from housectl.kube.objects.events import Event, Reference
from housectl.kube.objects.pods import Container, ContainerStatus, Pod


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
    config_source: ConfigSource = TRAINER

    @property
    def name(self) -> str:
        """Its name."""
        return self.pod.metadata.name

    @property
    def age(self) -> timedelta:
        """How long ago it was made."""
        return self.now - (self.pod.metadata.creation_timestamp or self.now)

    @property
    def running(self) -> timedelta:
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

    def statuses(self) -> Iterator[ContainerStatus]:
        """Yield how its containers stand, in the order in which they start."""
        yield from self.pod.status.init_container_statuses
        yield from self.pod.status.container_statuses

    def container(self, name: str) -> Container:
        """Return a container of its specification."""
        known = [*self.pod.spec.init_containers, *self.pod.spec.containers]
        return next((each for each in known if each.name == name), Container(name=name))

    def origin_of(self, container: Container) -> ConfigSource:
        """Return where it is written what one of its containers is made of."""
        return of_katib(self.target) if container.name in COLLECTORS else self.config_source

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of this type, whether it holds or not."""
        return next((each for each in self.pod.status.conditions if each.type == kind), None)

    @property
    def own_events(self) -> Sequence[Event]:
        """The events about it."""
        return about(self.events, "Pod", self.pod.metadata)

    @property
    def started_containers(self) -> set[str]:
        """The containers of which events tell that they have started."""
        return {event.container for event in self.own_events if event.reason == "Started"}

    def latest_event(self, *reasons: str, saying: str = "") -> Event | None:
        """Return the newest event about it with one of these reasons that says this."""
        return newest([event for event in self.own_events if saying in event.message], *reasons)


class DeletedPodContext(PodContext):
    """A pod that is gone, or will be at once: the events about it can still be looked at."""

    @property
    def describe_command(self) -> str:
        """The command that shows what happened to it."""
        return self.events_command


def about(events: Sequence[Event], kind: str, metadata: ObjectMeta) -> list[Event]:
    """Return the events about one object, and not about a former one that had its name."""
    return [event for event in events if _concerns(event.involved_object, kind, metadata)]


def since(events: Sequence[Event], time: datetime | None) -> list[Event]:
    """Return the events that have happened since a time; one without a time counts."""
    return [event for event in events if not (time and event.latest and event.latest < time)]


def newest_pod(pods: Sequence[Pod]) -> Pod:
    """Return the pod that was made last, of at least one."""
    return max(pods, key=lambda pod: _seconds(pod.metadata.creation_timestamp))


def newest(events: Sequence[Event], *reasons: str) -> Event | None:
    """Return the newest event with one of these reasons, or of all if none is given.

    Of several in one second, it is that of the last reason, and of these the last in the list.
    """
    places = {reason: place for place, reason in enumerate(reasons)}
    fitting = [event for event in reversed(events) if not reasons or event.reason in places]
    return max(
        fitting,
        key=lambda event: (_seconds(event.latest), places.get(event.reason, 0)),
        default=None,
    )


def _concerns(involved: Reference, kind: str, metadata: ObjectMeta) -> bool:
    is_former = involved.uid and metadata.uid and involved.uid != metadata.uid
    return involved.kind == kind and involved.name == metadata.name and not is_former


def _seconds(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0
