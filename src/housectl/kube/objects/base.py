"""The base of all models, and the models that all objects share."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from types import GenericAlias
from typing import Generic, TypeVar, dataclass_transform

import msgspec

from housectl.contract.struct_types import analyse_type

Manifest = Mapping[str, object]
"""An object as the API server sends or accepts it."""

_V = TypeVar("_V", bound="KubeObject")


# Python's garbage collector need not visit models: they are trees.
@dataclass_transform(frozen_default=True)
class KubeObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A model of an object, or of a section of one. A field that is absent gets its default."""


class ListMeta(KubeObject):
    """The metadata of a list: its version, and the token of the next page."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Page(KubeObject, Generic[_V]):
    """A page of a list of objects."""

    metadata: ListMeta = ListMeta()
    items: list[_V] | None = None


class RawWatchEvent(KubeObject):
    """An event of a watch, whose object is not decoded yet."""

    type: str
    object: msgspec.Raw


class _RawPage(KubeObject):
    """A page whose objects are not decoded yet."""

    metadata: ListMeta = ListMeta()
    items: list[msgspec.Raw] | None = None


def parse(kind: type[_V], manifest: Manifest) -> _V:
    """Return the model of an object.

    Raises:
        msgspec.ValidationError: The manifest does not fit the model.
    """
    analyse_type(kind)
    return msgspec.convert(_without_nulls(manifest), kind)


def decode(kind: type[_V], data: bytes | msgspec.Raw) -> _V:
    """Return the model of an object from its JSON text.

    Raises:
        msgspec.DecodeError: The text is not JSON, or does not fit the model.
    """
    decoder: msgspec.json.Decoder[_V] = _decoder(kind)
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        return parse(kind, json.loads(bytes(data)))


def decode_page(kind: type[_V], data: bytes) -> Page[_V]:
    """Return a page of a list from its JSON text.

    Raises:
        msgspec.DecodeError: The text is not JSON, or does not fit the model.
    """
    try:
        return _page_decoder(kind).decode(data)
    except msgspec.ValidationError:
        # Only the objects with a null are slow to decode.
        page = _decoder(_RawPage).decode(data)
        items = [decode(kind, item) for item in page.items or ()]
        return Page(metadata=page.metadata, items=items)


@cache
def _decoder(kind: type[_V]) -> "msgspec.json.Decoder[_V]":
    analyse_type(kind)
    return msgspec.json.Decoder(kind)


@cache
def _page_decoder(kind: type[_V]) -> "msgspec.json.Decoder[Page[_V]]":
    analyse_type(kind)
    decoder: msgspec.json.Decoder[Page[_V]] = msgspec.json.Decoder(GenericAlias(Page, (kind,)))
    return decoder


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
    for condition in conditions:
        if condition.type == kind and condition.is_true:
            return condition
    return None


def first_true_condition(conditions: list[Condition], kinds: Sequence[str]) -> Condition | None:
    """Return the condition of the first of these types that is true."""
    found = [item for item in conditions if item.type in kinds and item.is_true]
    return min(found, key=lambda item: kinds.index(item.type), default=None)
