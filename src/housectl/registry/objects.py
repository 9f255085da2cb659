"""Objects of a model registry: registered models, model versions and model artifacts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec

from housectl.errors import RegistryRejectedError

Property = dict[str, object]
Properties = dict[str, Property]

_Decoded = TypeVar("_Decoded")

# An id becomes a part of a path.
_Id = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,19}\Z")]


class _Object(msgspec.Struct, rename="camel"):
    """The fields that all kinds of objects have."""

    id: _Id
    name: str = ""
    custom_properties: Properties = {}


class _Page(msgspec.Struct, rename="camel"):
    """One page of a list."""

    items: list[dict[str, object]]
    next_page_token: str = ""


@dataclass(frozen=True, kw_only=True)
class RegistryObject:
    """An object that the registry has.

    Attributes:
        fields: The fields that are texts, such as `state` and `uri`.
        properties: The custom properties of all owners, each with its type tag.
    """

    id: str
    name: str
    fields: Mapping[str, str]
    properties: Properties


@dataclass(frozen=True, kw_only=True)
class WantedObject:
    """An object that the registry must have.

    Attributes:
        fields: Fields that the object must have.
        properties: Custom properties that it must have, next to those of other owners.
        initial_fields: Fields that are only set when the object is created.
    """

    name: str
    fields: Mapping[str, str]
    properties: Properties
    initial_fields: Mapping[str, str]

    def creation(self) -> dict[str, object]:
        """Return the body of the request that creates the object."""
        return {
            "name": self.name,
            **self.initial_fields,
            **self.fields,
            "customProperties": self.properties,
        }

    def change(self, found: RegistryObject) -> dict[str, object]:
        """Return the body of the request that gives a found object what it lacks.

        A PATCH replaces the whole map of custom properties, so those of other owners are repeated.
        It sets the state of an artifact to UNKNOWN unless the body has a state.
        """
        return {**self.fields, "customProperties": {**found.properties, **self.properties}}

    def differences(self, found: RegistryObject) -> Iterator[str]:
        """Yield the names of the fields and properties that a found object lacks."""
        for name, value in self.fields.items():
            if found.fields.get(name) != value:
                yield name
        for name, content in self.properties.items():
            if found.properties.get(name) != content:
                yield name


def text_property(value: str) -> Property:
    """Return a custom property with a text."""
    return {"metadataType": "MetadataStringValue", "string_value": value}


def number_property(value: float) -> Property:
    """Return a custom property with a number."""
    return {"metadataType": "MetadataDoubleValue", "double_value": value}


def property_text(properties: Properties, name: str) -> str | None:
    """Return the text of a custom property; None if it is missing or has another type."""
    value = properties.get(name, {}).get("string_value")
    return value if isinstance(value, str) else None


def parse_object(data: bytes, source: str) -> RegistryObject:
    """Return the object in an answer.

    Raises:
        RegistryRejectedError: The answer is not such an object; `source` is its request.
    """
    return _object(_decode(data, dict[str, object], source), source)


def parse_page(data: bytes, source: str) -> tuple[list[RegistryObject], str]:
    """Return the objects of one page, and the token of the next page, which is empty at the end.

    Raises:
        RegistryRejectedError: The answer is not such a page; `source` is its request.
    """
    page = _decode(data, _Page, source)
    return [_object(item, source) for item in page.items], page.next_page_token


def _object(item: dict[str, object], source: str) -> RegistryObject:
    try:
        parsed = msgspec.convert(item, _Object)
    except msgspec.ValidationError as error:
        raise _invalid(source, error) from error
    return RegistryObject(
        id=parsed.id,
        name=parsed.name,
        fields={name: value for name, value in item.items() if isinstance(value, str)},
        properties=parsed.custom_properties,
    )


def _decode(data: bytes, kind: type[_Decoded], source: str) -> _Decoded:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid(source, error) from error


def _invalid(source: str, error: Exception) -> RegistryRejectedError:
    return RegistryRejectedError(
        f"The answer of the model registry to {source} is invalid: {error}.",
        hint="housectl doctor   # checks the URL of the registry",
    )
