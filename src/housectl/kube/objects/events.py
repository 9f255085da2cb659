"""What is told of objects."""

from datetime import datetime

from housectl.kube.objects.base import KubeObject, ObjectMeta


class Reference(KubeObject):
    """Which object an event is about."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class Series(KubeObject):
    """How often an event has happened."""

    count: int = 0
    last_observed_time: datetime | None = None


class Event(KubeObject):
    """Something that happened to an object."""

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
        """The container of a pod that it is about, if it is about one."""
        return self.involved_object.field_path.partition("{")[2].removesuffix("}")

    @property
    def times(self) -> int:
        """How often it has happened."""
        return max(self.count, self.series.count, 1)

    @property
    def latest(self) -> datetime | None:
        """When it happened last."""
        return (
            self.last_timestamp
            or self.series.last_observed_time
            or self.event_time
            or self.first_timestamp
        )
