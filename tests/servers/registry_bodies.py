"""Request bodies of the test registry: read and refused as Go's decoder does."""

import json
from dataclasses import dataclass

from tests.servers.registry_errors import Object, bad_request, internal_error

_STATES = {"LIVE", "ARCHIVED"}
_ARTIFACT_STATES = {
    *("UNKNOWN", "PENDING", "LIVE", "MARKED_FOR_DELETION", "DELETED", "ABANDONED", "REFERENCE")
}
_TAGS = {
    "MetadataStringValue": ("string_value", str, "string"),
    "MetadataIntValue": ("int_value", str, "string"),
    "MetadataDoubleValue": ("double_value", (int, float), "float64"),
    "MetadataBoolValue": ("bool_value", bool, "bool"),
    "MetadataStructValue": ("struct_value", str, "string"),
    "MetadataProtoValue": ("proto_value", str, "string"),
}
_GO_TYPES = {int: "number", float: "number", str: "string", bool: "bool", list: "array"}
_MAX_NAME_LENGTH = 255
_NO_VALUES = "{" + " ".join(["<nil>"] * 6) + "}"


@dataclass(frozen=True)
class Kind:
    """One kind of objects: its words in messages, and its fields."""

    word: str
    go_name: str
    state_name: str
    states: frozenset[str]
    fields: frozenset[str]
    creation_fields: frozenset[str]


_COMMON = frozenset({"customProperties", "description", "externalId", "state"})
MODEL = Kind(
    "registered model",
    "RegisteredModel",
    "RegisteredModelState",
    frozenset(_STATES),
    _COMMON | {"owner"},
    frozenset({"name"}),
)
VERSION = Kind(
    "model version",
    "ModelVersion",
    "ModelVersionState",
    frozenset(_STATES),
    _COMMON | {"author"},
    frozenset({"name", "registeredModelId"}),
)
ARTIFACT = Kind(
    "model artifact",
    "ModelArtifact",
    "ArtifactState",
    frozenset(_ARTIFACT_STATES),
    _COMMON
    | {"uri", "storageKey", "storagePath", "serviceAccountName", "artifactType"}
    | {"modelFormatName", "modelFormatVersion", "modelSourceKind", "modelSourceClass"}
    | {"modelSourceGroup", "modelSourceId", "modelSourceName"},
    frozenset({"name", "id"}),
)


def parse(kind: Kind, body: bytes, allowed: frozenset[str], *, suffix: str) -> Object:
    """Parse a body as Go's decoder does, with its messages."""
    if not body:
        raise bad_request("EOF")
    try:
        given = json.loads(body, parse_constant=_refuse_constant)
    except ValueError as error:
        raise bad_request("unexpected EOF") from error
    for name, value in given.items():
        if name not in allowed:
            raise bad_request(f'json: unknown field "{name}"')
        if name != "customProperties" and not isinstance(value, str | None):
            raise bad_request(
                f"json: cannot unmarshal {_GO_TYPES[type(value)]} into Go struct field "
                f"{kind.go_name}{suffix}.{name} of type string"
            )
    for content in (given.get("customProperties") or {}).values():
        _check_tag(content)
    checked: Object = given
    return checked


def _refuse_constant(name: str) -> float:
    raise bad_request(f"invalid character '{name[0]}' looking for beginning of value")


def _check_tag(content: object) -> None:
    if not isinstance(content, dict):
        raise bad_request("failed to unmarshal JSON into map for the discriminator lookup")
    tag = str(content.get("metadataType", ""))
    if tag not in _TAGS:
        return
    name, types, go_type = _TAGS[tag]
    value = content.get(name)
    if not isinstance(value, types):  # type: ignore[arg-type]
        raise bad_request(
            f"failed to unmarshal MetadataValue as {tag}: json: cannot unmarshal "
            f"{_GO_TYPES[type(value)]} into Go struct field {tag}.{name} of type {go_type}"
        )


def check_content(kind: Kind, given: Object) -> None:
    """Check the state and the type tags, which the registry does after the required fields."""
    state = given.get("state")
    if state is not None and state not in kind.states:
        raise bad_request(f"{state} is not a valid {kind.state_name}")
    properties = given.get("customProperties") or {}
    assert isinstance(properties, dict)
    for name, content in properties.items():
        values = _NO_VALUES
        if content.get("metadataType") == "MetadataProtoValue":
            values = "{<nil> <nil> <nil> 0x2e66a40725d0 <nil> <nil>}"
        elif "metadataType" in content:
            continue
        raise bad_request(
            f"error setting field CustomProperties: bad request: metadataType not found for "
            f"{name}: {values}: bad request"
        )


def require(given: Object, *names: str) -> None:
    for name in names:
        if not given.get(name):
            raise bad_request(f"required field '{name}' is zero value.", status=422)


def check_length(kind: Kind, given: Object) -> None:
    if len(str(given["name"])) > _MAX_NAME_LENGTH:
        raise internal_error(
            f"error saving {kind.word}: ERROR: value too long for type character varying(255) "
            "(SQLSTATE 22001)"
        )
