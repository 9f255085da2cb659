"""The answers of Kubeflow Model Registry 0.3.8, as they were recorded, over objects in memory."""

import base64
import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from urllib.parse import parse_qsl, unquote, urlsplit

JSON = "application/json; charset=UTF-8"
TEXT = "text/plain; charset=utf-8"
API = "/api/model_registry/v1alpha3"

Object = dict[str, object]

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
class Reply:
    """An answer; a type of None means no body."""

    status: int
    media_type: str | None
    text: str


class RefusedError(Exception):
    """An error in the registry's form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = Reply(status, JSON, go_json({"code": code, "message": message}))


def bad_request(message: str, *, status: int = 400) -> RefusedError:
    return RefusedError(status, "Bad Request", message)


def not_found(message: str) -> RefusedError:
    return RefusedError(404, "Not Found", f"{message}: not found")


def conflict(message: str) -> RefusedError:
    return RefusedError(409, "Conflict", f"{message}: conflict")


def internal_error(message: str) -> RefusedError:
    return RefusedError(500, "Internal Server Error", message)


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


@dataclass
class Registry:
    """The objects, and the answers to requests."""

    models: dict[str, Object] = field(default_factory=dict)
    versions: dict[str, Object] = field(default_factory=dict)
    artifacts: dict[str, Object] = field(default_factory=dict)
    artifacts_of: dict[str, set[str]] = field(default_factory=dict)
    _ids: "count[int]" = field(default_factory=lambda: count(1))
    _artifact_ids: "count[int]" = field(default_factory=lambda: count(1))
    _lock: Lock = field(default_factory=Lock)

    def answer(self, method: str, target: str, body: bytes) -> Reply:
        url = urlsplit(target)
        if url.path in {"/readyz/health", "/readyz/isDirty"}:
            return Reply(200, TEXT, "OK")
        path = unquote(url.path.removeprefix(API))
        handler = self._handler(method, path) if url.path.startswith(API) else _page_not_found
        try:
            with self._lock:
                return handler(dict(parse_qsl(url.query)), body)
        except RefusedError as refusal:
            return refusal.reply

    def _handler(self, method: str, path: str) -> "Handler":
        for pattern, handlers in self._routes():
            if match := re.fullmatch(pattern, path):
                handler = handlers.get(method)
                if handler is None:
                    return _method_not_allowed
                arguments = match.groups()
                return lambda query, body: handler(query, body, *arguments)
        return _page_not_found

    def _routes(self) -> Iterable[tuple[str, Mapping[str, Callable[..., Reply]]]]:
        yield "/registered_models", {"GET": self._list_models, "POST": self._create_model}
        yield "/registered_model", {"GET": self._find_model}
        yield (
            "/registered_models/([^/]+)",
            {
                "GET": lambda _query, _body, id_: self._get(MODEL, self.models, id_),
                "PATCH": lambda _query, body, id_: self._patch(MODEL, self.models, id_, body),
            },
        )
        yield (
            "/registered_models/([^/]+)/versions",
            {"GET": self._list_versions, "POST": self._create_version},
        )
        yield "/model_versions", {"GET": self._list_all_versions, "POST": self._create_version}
        yield "/model_version", {"GET": self._find_version}
        yield (
            "/model_versions/([^/]+)",
            {
                "GET": lambda _query, _body, id_: self._get(VERSION, self.versions, id_),
                "PATCH": lambda _query, body, id_: self._patch(VERSION, self.versions, id_, body),
            },
        )
        yield (
            "/model_versions/([^/]+)/artifacts",
            {"GET": self._list_artifacts, "POST": self._create_artifact},
        )
        yield "/model_artifacts", {"POST": self._create_artifact}
        yield "/model_artifact", {"GET": self._find_artifact}
        yield (
            "/model_artifacts/([^/]+)",
            {
                "GET": lambda _query, _body, id_: self._get(ARTIFACT, self.artifacts, id_),
                "PATCH": lambda _query, body, id_: self._patch(ARTIFACT, self.artifacts, id_, body),
            },
        )
        yield "/artifacts/([^/]+)", {"PATCH": self._patch_artifact}

    def _list_models(self, query: Mapping[str, str], _body: bytes) -> Reply:
        return _page(self.models.values(), query)

    def _list_all_versions(self, query: Mapping[str, str], _body: bytes) -> Reply:
        return _page(self.versions.values(), query)

    def _list_versions(self, query: Mapping[str, str], _body: bytes, model: str) -> Reply:
        of_model = [each for each in self.versions.values() if each["registeredModelId"] == model]
        return _page(of_model, query)

    def _list_artifacts(self, query: Mapping[str, str], _body: bytes, version: str) -> Reply:
        ids = sorted(self.artifacts_of.get(version, ()), key=int)
        return _page([self.artifacts[id_] for id_ in ids], query)

    def _find_model(self, query: Mapping[str, str], _body: bytes) -> Reply:
        name, external_id = query.get("name", ""), query.get("externalId", "")
        if not (name or external_id):
            raise bad_request(
                "invalid parameters call, supply either name or externalId: bad request"
            )
        for model in self.models.values():
            if name == model["name"] or external_id == model.get("externalId", ()):
                return _object(200, model)
        raise not_found(f"no registered models found for name={name}, externalId={external_id}")

    def _find_version(self, query: Mapping[str, str], _body: bytes) -> Reply:
        def is_child(each: Object, parent: str) -> bool:
            return each["registeredModelId"] == parent

        return _find_child(VERSION, self.versions, query, is_child)

    def _find_artifact(self, query: Mapping[str, str], _body: bytes) -> Reply:
        def is_child(each: Object, parent: str) -> bool:
            return each["id"] in self.artifacts_of.get(parent, ())

        return _find_child(ARTIFACT, self.artifacts, query, is_child)

    def _get(self, kind: Kind, objects: Mapping[str, Object], id_: str) -> Reply:
        return _object(200, _by_id(kind, objects, id_))

    def _create_model(self, _query: Mapping[str, str], body: bytes) -> Reply:
        given = _parse(MODEL, body, MODEL.fields | MODEL.creation_fields, suffix="Create")
        _require(given, "name")
        _check_content(MODEL, given)
        id_ = str(next(self._ids))
        _check_length(MODEL, given)
        for model in self.models.values():
            same_id = "externalId" in given and given["externalId"] == model.get("externalId")
            if model["name"] == given["name"] or same_id:
                raise conflict(f"registered model with name {given['name']} already exists")
        self.models[id_] = _new(given, id_, state="LIVE")
        return _object(201, self.models[id_])

    def _create_version(
        self, _query: Mapping[str, str], body: bytes, model: str | None = None
    ) -> Reply:
        given = _parse(VERSION, body, VERSION.fields | VERSION.creation_fields, suffix="Create")
        _require(given, "name", "registeredModelId")
        _check_content(VERSION, given)
        _check_length(VERSION, given)
        given["registeredModelId"] = model or given["registeredModelId"]
        id_ = str(next(self._ids))
        key = (given["registeredModelId"], given["name"])
        if any((each["registeredModelId"], each["name"]) == key for each in self.versions.values()):
            raise conflict(f"model version with name {given['name']} already exists")
        self.versions[id_] = _new(given, id_, state="LIVE")
        return _object(201, self.versions[id_])

    def _create_artifact(
        self, _query: Mapping[str, str], body: bytes, version: str | None = None
    ) -> Reply:
        given = _parse(ARTIFACT, body, ARTIFACT.fields | ARTIFACT.creation_fields, suffix="Create")
        if given.get("artifactType") != "model-artifact":
            raise bad_request(
                "invalid artifact type, must be either ModelArtifact, DocArtifact, DataSet, "
                "Metric, or Parameter: bad request"
            )
        _check_content(ARTIFACT, given)
        if version is not None and version not in self.versions:
            raise not_found(f"no model version found for id {version}")
        siblings = self.artifacts_of.setdefault(version or "", set())
        if (existing := self.artifacts.get(str(given.get("id")))) is not None:
            existing |= {name: value for name, value in given.items() if name != "id"}
            existing["lastUpdateTimeSinceEpoch"] = _now()
            siblings.add(str(existing["id"]))
            return _object(200, existing)
        id_ = str(next(self._artifact_ids))
        given.setdefault("name", str(uuid.uuid4()))
        if any(self.artifacts[each]["name"] == given["name"] for each in siblings):
            raise conflict(f"model artifact with name {given['name']} already exists")
        if version is None:
            given.setdefault("state", "UNKNOWN")
        self.artifacts[id_] = _new(given, id_)
        siblings.add(id_)
        return _object(201, self.artifacts[id_])

    def _patch(self, kind: Kind, objects: Mapping[str, Object], id_: str, body: bytes) -> Reply:
        given = _parse(kind, body, kind.fields, suffix="Update")
        _check_content(kind, given)
        found = _by_id(kind, objects, id_)
        if kind is ARTIFACT:
            given.setdefault("state", "UNKNOWN")
        found |= {name: value for name, value in given.items() if value is not None}
        found["lastUpdateTimeSinceEpoch"] = _now()
        return _object(200, found)

    def _patch_artifact(self, _query: Mapping[str, str], body: bytes, id_: str) -> Reply:
        given = _parse(ARTIFACT, body, ARTIFACT.fields, suffix="Update")
        if given.get("artifactType") != "model-artifact":
            raise bad_request(
                "cannot change artifact type from 'model-artifact' to "
                f"'{given.get('artifactType', 'unknown')}': artifact type is immutable"
            )
        return self._patch(ARTIFACT, self.artifacts, id_, body)


Handler = Callable[[Mapping[str, str], bytes], Reply]


def go_json(value: object) -> str:
    """Return JSON as Go writes it: keys sorted, whole numbers without a fraction."""
    text = json.dumps(_go_numbers(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _go_numbers(value: object) -> object:
    if isinstance(value, dict):
        return {name: _go_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_go_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _object(status: int, value: Object) -> Reply:
    return Reply(status, JSON, go_json(value))


def _page_not_found(_query: Mapping[str, str], _body: bytes) -> Reply:
    return Reply(404, TEXT, "404 page not found")


def _method_not_allowed(_query: Mapping[str, str], _body: bytes) -> Reply:
    return Reply(405, None, "")


def _now() -> str:
    return str(time.time_ns() // 1_000_000)


def _new(given: Object, id_: str, **defaults: str) -> Object:
    now = _now()
    times = {"createTimeSinceEpoch": now, "lastUpdateTimeSinceEpoch": now}
    present = {name: value for name, value in given.items() if value is not None}
    return {"customProperties": {}, **defaults, **present, **times, "id": id_}


def _by_id(kind: Kind, objects: Mapping[str, Object], id_: str) -> Object:
    if not id_.isdecimal():
        raise bad_request(
            f'invalid {kind.word} ID: strconv.ParseInt: parsing "{id_}": invalid syntax: '
            "bad request"
        )
    if id_ not in objects:
        raise not_found(f"no {kind.word} found for id {id_}")
    return objects[id_]


def _find_child(
    kind: Kind,
    objects: Mapping[str, Object],
    query: Mapping[str, str],
    is_child: Callable[[Object, str], bool],
) -> Reply:
    name, parent = query.get("name", ""), query.get("parentResourceId", "")
    external_id = query.get("externalId", "")
    if not (name and parent) and not external_id:
        raise bad_request(
            "invalid parameters call, supply either (name and parentResourceId), or externalId: "
            "bad request"
        )
    for each in objects.values():
        if each["name"] == name and is_child(each, parent):
            return _object(200, each)
    raise not_found(
        f"no {kind.word}s found for name={name}, parentResourceId={parent}, "
        f"externalId={external_id}"
    )


def _parse(kind: Kind, body: bytes, allowed: frozenset[str], *, suffix: str) -> Object:
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


def _check_content(kind: Kind, given: Object) -> None:
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


def _require(given: Object, *names: str) -> None:
    for name in names:
        if not given.get(name):
            raise bad_request(f"required field '{name}' is zero value.", status=422)


def _check_length(kind: Kind, given: Object) -> None:
    if len(str(given["name"])) > _MAX_NAME_LENGTH:
        raise internal_error(
            f"error saving {kind.word}: ERROR: value too long for type character varying(255) "
            "(SQLSTATE 22001)"
        )


def _page(objects: Iterable[Object], query: Mapping[str, str]) -> Reply:
    items = [each for each in objects if _matches(each, query.get("filterQuery", ""))]
    by_time = query.get("orderBy") == "CREATE_TIME"
    items.sort(
        key=lambda each: (int(str(each["createTimeSinceEpoch"])) if by_time else 0, _id(each)),
        reverse=query.get("sortOrder") == "DESC",
    )
    size = query.get("pageSize", "0")
    if not size.isdecimal():
        raise bad_request(
            f'invalid numeric string: strconv.ParseInt: parsing "{size}": invalid syntax: '
            "bad request"
        )
    if token := query.get("nextPageToken"):
        items = [each for each in items if _id(each) > _id_of(token)]
    page = items[: int(size) or None]
    last = str(page[-1]["id"]) if len(page) < len(items) else ""
    following = base64.b64encode(f"{last}:{last}".encode()).decode() if last else ""
    content = {"items": page, "nextPageToken": following, "pageSize": int(size), "size": len(page)}
    return Reply(200, JSON, go_json(content))


def _id(each: Object) -> int:
    return int(str(each["id"]))


def _id_of(token: str) -> int:
    try:
        return int(base64.b64decode(token, validate=True).partition(b":")[0])
    except ValueError as error:
        raise bad_request(
            "invalid nextPageToken: illegal base64 data at input byte 0: bad request"
        ) from error


_CONDITION = re.compile(
    r"`?(?P<name>[\w.]+?)(\.double_value)?`?\s*(?P<operator>=|<|LIKE)\s*(?P<value>.+)"
)


def _matches(each: Object, query: str) -> bool:
    """Return True if an object fits a filter in one of the recorded forms."""
    return all(_fits(each, condition) for condition in query.split(" AND ") if condition)


def _fits(each: Object, condition: str) -> bool:
    match = _CONDITION.fullmatch(condition)
    if match is None or match["value"].startswith("="):
        column = condition.index("==") + 2
        raise bad_request(
            f"invalid filter query syntax: error parsing filter query: 1:{column}: unexpected "
            'token "=" (expected Value). Hint: String values must be quoted (e.g., name="value"). '
            "Numbers and booleans don't need quotes (e.g., id>5, active=true): bad request"
        )
    found, value = _value(each, match["name"]), match["value"].strip("'")
    if found is None:
        return False
    if match["operator"] == "<":
        return float(str(found)) < float(value)
    if match["operator"] == "LIKE":
        return re.fullmatch(re.escape(value).replace("%", ".*"), str(found)) is not None
    return str(found) == value


def _value(each: Object, name: str) -> object:
    properties = each["customProperties"]
    assert isinstance(properties, dict)
    values = [item for key, item in properties.get(name, {}).items() if key != "metadataType"]
    return values[0] if values else each.get(name)
