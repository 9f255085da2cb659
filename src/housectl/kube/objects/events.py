"""Events about objects."""

from collections.abc import Sequence
from datetime import datetime

from housectl.kube.objects.base import KubeObject, NamedObject, ObjectMeta


class Reference(KubeObject):
    """A reference to the object of an event."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class Series(KubeObject):
    """The count of a repeated event."""

    count: int = 0
    last_observed_time: datetime | None = None


class Event(NamedObject):
    """An event about an object."""

    metadata: ObjectMeta = ObjectMeta()
    involved_object: Reference = Reference()
    reason: str = ""
    message: str = ""
    count: int = 0
    series: Series = Series()
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None

    @property
    def container(self) -> str:
        """The container that the event is about; empty if it is about a whole pod."""
        return self.involved_object.field_path.partition("{")[2].removesuffix("}")

    @property
    def times(self) -> int:
        """Number of occurrences."""
        return max(self.count, self.series.count, 1)

    @property
    def latest(self) -> datetime | None:
        """Time of the last occurrence."""
        return (
            self.last_timestamp
            or self.series.last_observed_time
            or self.event_time
            or self.first_timestamp
        )


def events_about(events: Sequence[Event], kind: str, metadata: ObjectMeta) -> list[Event]:
    """Return the events about one object, and not about a former one that had its name."""
    return [event for event in events if _concerns(event.involved_object, kind, metadata)]


def events_since(events: Sequence[Event], time: datetime | None) -> list[Event]:
    """Return the events that have happened since a time; one without a time counts."""
    return [event for event in events if not (time and event.latest and event.latest < time)]


def latest_event(events: Sequence[Event], *reasons: str) -> Event | None:
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
