"""Requests to the objects of one namespace; objects are plain mappings or models."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

from housectl.errors import ClusterError, NotFoundError
from housectl.kube.connection import Connection, connect
from housectl.kube.errors import (
    ApiServer,
    Explain,
    error_from_response,
    no_explanation,
    response_message,
    translate_errors,
)
from housectl.kube.exec import ExecStreams, open_streams
from housectl.kube.kinds import ACCESS_REVIEWS, PODS, Kind
from housectl.kube.objects.base import KubeObject, parse

if TYPE_CHECKING:
    from kubernetes.client.rest import RESTResponse

Manifest = Mapping[str, object]

_V = TypeVar("_V", bound=KubeObject)

_CONNECT_SECONDS = 5.0
_RESPONSE_SECONDS = 30.0
_MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Objects of one kind at one resource version, from which a watch can continue."""

    items: tuple[Manifest, ...]
    version: str


@dataclass(frozen=True, kw_only=True)
class WatchEvent:
    """An event of a watch; `type` is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR."""

    type: str
    object: Manifest


@dataclass(frozen=True)
class Kube:
    """A client for one namespace of a cluster. It connects at its first request.

    Args:
        context: A context of the kubeconfig; None for the current one.
        namespace: Namespace of all namespaced objects, unless a call names another.
        explain: Returns a more specific error for a message of the API server, or None.
    """

    context: str | None
    namespace: str
    explain: Explain = no_explanation

    @cached_property
    def _connection(self) -> Connection:
        return connect(self.context)

    @property
    def server(self) -> ApiServer:
        """The API server."""
        return self._connection.server

    @property
    def kubectl(self) -> str:
        """The start of a kubectl command for this namespace."""
        return f"{self.server.kubectl} -n {self.namespace}"

    def get_raw(self, path: str) -> Mapping[str, object]:
        """Return the content of a path that belongs to no kind, such as /version."""
        return self._decode(self._call("GET", path))

    def get(self, kind: Kind, name: str, as_type: type[_V], *, namespace: str | None = None) -> _V:
        """Return one object.

        Raises:
            NotFoundError: The object does not exist.
        """
        path = self._path(kind, name, namespace=namespace)
        return parse(as_type, self._decode(self._call("GET", path)))

    def list(self, kind: Kind, *, labels: str = "", fields: str = "") -> Listing:
        """Return the objects of a kind.

        Args:
            kind: Their kind.
            labels: A label selector.
            fields: A field selector.
        """
        query = {"labelSelector": labels, "fieldSelector": fields}
        content = self._decode(self._call("GET", self._path(kind), query=query))
        metadata, items = content.get("metadata"), content.get("items")
        version = metadata.get("resourceVersion", "") if isinstance(metadata, dict) else ""
        return Listing(items=tuple(items) if isinstance(items, list) else (), version=str(version))

    def list_as(
        self, kind: Kind, as_type: type[_V], *, labels: str = "", fields: str = ""
    ) -> tuple[_V, ...]:
        """Return the objects of a kind as models."""
        listing = self.list(kind, labels=labels, fields=fields)
        return tuple(parse(as_type, item) for item in listing.items)

    def watch(self, kind: Kind, *, labels: str, since: str, seconds: int) -> Iterator[WatchEvent]:
        """Yield the events after a resource version, for at most `seconds`.

        Raises:
            ClusterUnreachableError: The connection broke.
        """
        query = {
            "labelSelector": labels,
            "resourceVersion": since,
            "timeoutSeconds": str(seconds),
            "allowWatchBookmarks": "true",
            "watch": "true",
        }
        with translate_errors(self.server):
            response = self._open("GET", self._path(kind), query=query, timeout=seconds + 10.0)
            unread = b""
            for chunk in response.response.stream(None):
                *lines, unread = (unread + chunk).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    yield WatchEvent(type=str(event["type"]), object=event["object"])

    def create(self, kind: Kind, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Create an object, or only let the cluster validate it.

        Raises:
            ConflictError: It exists already.
            RejectedError: The cluster finds it invalid.
        """
        query = {"dryRun": "All"} if dry_run else {}
        return self._decode(self._call("POST", self._path(kind), body=manifest, query=query))

    def patch(self, kind: Kind, name: str, change: Manifest) -> None:
        """Merge a change into an object; a value of None removes its key."""
        self._call("PATCH", self._path(kind, name), body=change, content_type=_MERGE_PATCH)

    def delete(self, kind: Kind, name: str) -> None:
        """Delete an object and, in the background, its dependents. Idempotent."""
        try:
            self._call("DELETE", self._path(kind, name), body={"propagationPolicy": "Background"})
        except NotFoundError:
            return

    def log(self, pod: str, container: str, *, tail: int | None = None) -> str:
        """Return the log of a container, or its last `tail` lines.

        Raises:
            RejectedError: The container has not started.
        """
        query = {"container": container, **({"tailLines": str(tail)} if tail else {})}
        path = f"{self._path(PODS, pod)}/log"
        return self._call("GET", path, query=query).decode(errors="replace")

    def exec(self, pod: str, container: str, command: Sequence[str]) -> ExecStreams:
        """Run a command in a container and return its streams.

        Raises:
            ClusterUnreachableError: The cluster does not respond.
        """
        query = [("container", container), *(("command", word) for word in command)]
        query += [(stream, "true") for stream in ("stdin", "stdout", "stderr")]
        url = f"{self.server.address}{self._path(PODS, pod)}/exec?{urlencode(query)}"
        configuration = self._connection.client.configuration
        with translate_errors(self.server):
            return open_streams(
                configuration, url, self._headers(), server=self.server, error_from=self._error
            )

    def can_i(self, verb: str, kind: Kind, *, subresource: str = "") -> bool:
        """Return True if this user has a permission."""
        attributes = {
            "verb": verb,
            "group": kind.group,
            "resource": kind.plural,
            "subresource": subresource,
            **({"namespace": self.namespace} if kind.namespaced else {}),
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        status = self.create(ACCESS_REVIEWS, review)["status"]
        return isinstance(status, dict) and status.get("allowed") is True

    def _path(self, kind: Kind, name: str = "", *, namespace: str | None = None) -> str:
        path = kind.path(namespace or self.namespace)
        return f"{path}/{quote(name)}" if name else path

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        with translate_errors(self.server):
            response = self._open(method, path, query=query, body=body, content_type=content_type)
            data: bytes = response.read()
        return data

    def _open(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        content_type: str = "application/json",
        timeout: float = _RESPONSE_SECONDS,
    ) -> "RESTResponse":
        encoded = urlencode({name: value for name, value in (query or {}).items() if value})
        response = self._connection.client.call_api(
            method,
            f"{self.server.address}{path}{'?' if encoded else ''}{encoded}",
            header_params={**self._headers(), "Content-Type": content_type},
            body=body,
            _request_timeout=(_CONNECT_SECONDS, timeout),
        )
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise self._error(response.status, response.read())
        return response

    def _error(self, status: int, body: bytes) -> ClusterError:
        explained = self.explain(self.server, response_message(status, body))
        return explained or error_from_response(self.server, status, body)

    def _headers(self) -> dict[str, str]:
        """Return the headers with the user's credentials, which may have been renewed."""
        client = self._connection.client
        headers = {"Accept": "application/json", "User-Agent": "housectl"}
        client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        return headers

    def _decode(self, data: bytes) -> dict[str, object]:
        """Return the object in a response.

        Raises:
            ClusterError: The response is not from a Kubernetes API server.
        """
        with suppress(ValueError):
            parsed = json.loads(data)
            if isinstance(parsed, dict):
                return parsed
        raise ClusterError(
            f"The server at {self.server.address} is not a Kubernetes API server.",
            hint=f"{self.server.kubectl} cluster-info   # then correct the kubeconfig",
        )
