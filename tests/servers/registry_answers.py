"""The answers of Kubeflow Model Registry 0.3.8, as they were recorded, over objects in memory."""

import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.servers.registry_bodies import (
    ARTIFACT,
    MODEL,
    VERSION,
    Kind,
    check_content,
    check_length,
    parse,
    require,
)
from tests.servers.registry_errors import (
    JSON,
    TEXT,
    Object,
    RefusedError,
    Reply,
    bad_request,
    conflict,
    go_json,
    not_found,
)
from tests.servers.registry_lists import page

API = "/api/model_registry/v1alpha3"


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
        return page(self.models.values(), query)

    def _list_all_versions(self, query: Mapping[str, str], _body: bytes) -> Reply:
        return page(self.versions.values(), query)

    def _list_versions(self, query: Mapping[str, str], _body: bytes, model: str) -> Reply:
        of_model = [each for each in self.versions.values() if each["registeredModelId"] == model]
        return page(of_model, query)

    def _list_artifacts(self, query: Mapping[str, str], _body: bytes, version: str) -> Reply:
        ids = sorted(self.artifacts_of.get(version, ()), key=int)
        return page([self.artifacts[id_] for id_ in ids], query)

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
        given = parse(MODEL, body, MODEL.fields | MODEL.creation_fields, suffix="Create")
        require(given, "name")
        check_content(MODEL, given)
        id_ = str(next(self._ids))
        check_length(MODEL, given)
        for model in self.models.values():
            same_id = "externalId" in given and given["externalId"] == model.get("externalId")
            if model["name"] == given["name"] or same_id:
                raise conflict(f"registered model with name {given['name']} already exists")
        self.models[id_] = _new(given, id_, state="LIVE")
        return _object(201, self.models[id_])

    def _create_version(
        self, _query: Mapping[str, str], body: bytes, model: str | None = None
    ) -> Reply:
        given = parse(VERSION, body, VERSION.fields | VERSION.creation_fields, suffix="Create")
        require(given, "name", "registeredModelId")
        check_content(VERSION, given)
        check_length(VERSION, given)
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
        given = parse(ARTIFACT, body, ARTIFACT.fields | ARTIFACT.creation_fields, suffix="Create")
        if given.get("artifactType") != "model-artifact":
            raise bad_request(
                "invalid artifact type, must be either ModelArtifact, DocArtifact, DataSet, "
                "Metric, or Parameter: bad request"
            )
        check_content(ARTIFACT, given)
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
        given = parse(kind, body, kind.fields, suffix="Update")
        check_content(kind, given)
        found = _by_id(kind, objects, id_)
        if kind is ARTIFACT:
            given.setdefault("state", "UNKNOWN")
        found |= {name: value for name, value in given.items() if value is not None}
        found["lastUpdateTimeSinceEpoch"] = _now()
        return _object(200, found)

    def _patch_artifact(self, _query: Mapping[str, str], body: bytes, id_: str) -> Reply:
        given = parse(ARTIFACT, body, ARTIFACT.fields, suffix="Update")
        if given.get("artifactType") != "model-artifact":
            raise bad_request(
                "cannot change artifact type from 'model-artifact' to "
                f"'{given.get('artifactType', 'unknown')}': artifact type is immutable"
            )
        return self._patch(ARTIFACT, self.artifacts, id_, body)


Handler = Callable[[Mapping[str, str], bytes], Reply]


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
