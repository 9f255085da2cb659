"""The base of all models, and the models that all objects share."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar, dataclass_transform

import msgspec

from housectl.contract.struct_types import analyse_type

Manifest = Mapping[str, object]
"""An object as the API server sends or accepts it."""

_V = TypeVar("_V", bound="KubeObject")


@dataclass_transform(frozen_default=True)
class KubeObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A model of an object, or of a section of one. A field that is absent gets its default."""


def parse(kind: type[_V], manifest: Manifest) -> _V:
    """Return the model of an object.

    Raises:
        msgspec.ValidationError: The manifest does not fit the model.
    """
    analyse_type(kind)
    return msgspec.convert(_without_nulls(manifest), kind)


def _without_nulls(value: object) -> object:
    """Return a value without the keys whose value is null; to the API server, null means absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


class Owner(KubeObject):
    """An owner of an object."""

    kind: str
    name: str


class ObjectMeta(KubeObject):
    """The metadata of an object."""

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
    """An object of any kind, with its metadata alone."""

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
        """True if the status is True."""
        return self.status == "True"


def true_condition(conditions: list[Condition], kind: str) -> Condition | None:
    """Return the condition of this type, or None if it is not true."""
    return next((item for item in conditions if item.type == kind and item.is_true), None)


def first_true_condition(conditions: list[Condition], kinds: Iterable[str]) -> Condition | None:
    """Return the condition of the first of these types that is true."""
    return next(filter(None, (true_condition(conditions, kind) for kind in kinds)), None)
