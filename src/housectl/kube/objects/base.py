"""What all objects have in common."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar, dataclass_transform

import msgspec

_V = TypeVar("_V", bound="KubeObject")


@dataclass_transform(frozen_default=True)
class KubeObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of an object as the API server sends it; what is absent there has a default here."""


def parse(kind: type[_V], manifest: Mapping[str, object]) -> _V:
    """Return the view of an object.

    Raises:
        msgspec.ValidationError: It is no object of that kind.
    """
    return msgspec.convert(_without_nulls(manifest), kind)


def _without_nulls(value: object) -> object:
    """Return a value without the keys whose value is null: the API server means absent by it."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


class Owner(KubeObject):
    """What an object belongs to."""

    kind: str
    name: str


class ObjectMeta(KubeObject):
    """What every object says of itself."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[Owner] = []
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int = 0


class NamedObject(KubeObject):
    """Any object."""

    metadata: ObjectMeta


class Condition(KubeObject):
    """A condition of any kind of object; `status` is True, False or Unknown."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None

    @property
    def is_true(self) -> bool:
        """Whether it is true."""
        return self.status == "True"


def true_condition(conditions: list[Condition], kind: str) -> Condition | None:
    """Return the condition of this type if it holds."""
    return next((each for each in conditions if each.type == kind and each.is_true), None)


def first_true_condition(conditions: list[Condition], kinds: Iterable[str]) -> Condition | None:
    """Return the condition of the first of these types that holds."""
    return next((found for kind in kinds if (found := true_condition(conditions, kind))), None)
