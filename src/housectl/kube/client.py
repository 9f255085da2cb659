"""Reading and writing objects of a cluster, as plain mappings."""

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
from housectl.kube.errors import ApiServer, error_from_response, translate_errors
from housectl.kube.exec import Streams, open_streams
from housectl.kube.kinds import ACCESS_REVIEWS, PODS, Kind, kind_of
from housectl.kube.objects.base import KubeObject, parse

if TYPE_CHECKING:
    from kubernetes.client.rest import RESTResponse

Manifest = Mapping[str, object]

_V = TypeVar("_V", bound=KubeObject)

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_MERGE = "application/merge-patch+json"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Objects of one kind at one moment, which a watch can go on from."""

    items: tuple[Manifest, ...]
    version: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a watch tells: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR, and of which object."""

    type: str
    object: Manifest


@dataclass(frozen=True)
class Kube:
    """One namespace of one cluster. Nothing is asked of it before the first call.

    Args:
        context: A context of the kubeconfig; None for the current one.
        namespace: Where all namespaced objects are, unless a call says otherwise.
    """

    context: str | None
    namespace: str

    @cached_property
    def _connection(self) -> Connection:
        return connect(self.context)

    @property
    def server(self) -> ApiServer:
        """Which API server this is."""
        return self._connection.server

    @property
    def kubectl(self) -> str:
        """The beginning of a kubectl command for this namespace."""
        return f"{self.server.kubectl} -n {self.namespace}"

    def get_raw(self, path: str) -> Mapping[str, object]:
        """Return what the API server has at a path that belongs to no kind, such as /version."""
        return self._object(self._call("GET", path))

    def get(self, kind: Kind, name: str, as_type: type[_V], *, namespace: str | None = None) -> _V:
        """Return one object.

        Raises:
            AbsentError: There is none.
        """
        path = self._path(kind, name, namespace=namespace)
        return parse(as_type, self._object(self._call("GET", path)))

    def list(self, kind: Kind, *, labels: str = "", fields: str = "") -> Listing:
        """Return the objects of a kind.

        Args:
            kind: What they are.
            labels: A label selector.
            fields: A field selector.
        """
        query = {"labelSelector": labels, "fieldSelector": fields}
        answer = self._object(self._call("GET", self._path(kind), query=query))
        metadata, items = answer.get("metadata"), answer.get("items")
        version = metadata.get("resourceVersion", "") if isinstance(metadata, dict) else ""
        return Listing(items=tuple(items) if isinstance(items, list) else (), version=str(version))

    def list_as(
        self, kind: Kind, as_type: type[_V], *, labels: str = "", fields: str = ""
    ) -> tuple[_V, ...]:
        """Return the objects of a kind, as views."""
        listing = self.list(kind, labels=labels, fields=fields)
        return tuple(parse(as_type, item) for item in listing.items)

    def watch(self, kind: Kind, *, labels: str, since: str, seconds: int) -> Iterator[Change]:
        """Yield changes after a listing's version, for so many seconds at the most.

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
                    told = json.loads(line)
                    yield Change(type=str(told["type"]), object=told["object"])

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Create an object, or only have the cluster check it.

        Raises:
            ConflictError: It exists.
            DeniedError: It is wrong.
        """
        query = {"dryRun": "All"} if dry_run else {}
        path = self._path(kind_of(manifest))
        return self._object(self._call("POST", path, body=manifest, query=query))

    def patch(self, kind: Kind, name: str, change: Manifest) -> None:
        """Merge a change into an object; None removes what is there."""
        self._call("PATCH", self._path(kind, name), body=change, content_type=_MERGE)

    def delete(self, kind: Kind, name: str) -> None:
        """Delete an object and, in the background, what belongs to it. Idempotent."""
        try:
            self._call("DELETE", self._path(kind, name), body={"propagationPolicy": "Background"})
        except NotFoundError:
            return

    def log(self, pod: str, container: str, *, tail: int | None = None) -> str:
        """Return what a container has printed; empty when it has not started."""
        query = {"container": container, **({"tailLines": str(tail)} if tail else {})}
        path = f"{self._path(PODS, pod)}/log"
        return self._call("GET", path, query=query).decode(errors="replace")

    def exec(self, pod: str, container: str, command: Sequence[str]) -> Streams:
        """Run a command in a container and return its streams.

        Raises:
            ClusterUnreachableError: The cluster does not answer.
        """
        query = [("container", container), *(("command", part) for part in command)]
        query += [(stream, "true") for stream in ("stdin", "stdout", "stderr")]
        url = f"{self.server.address}{self._path(PODS, pod)}/exec?{urlencode(query)}"
        client = self._connection.client
        with translate_errors(self.server):
            return open_streams(client.configuration, url, self._headers(), self.server)

    def can_i(self, verb: str, kind: Kind, *, subresource: str = "") -> bool:
        """Return whether the cluster lets this user do something."""
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
        status = self._object(self._call("POST", self._path(ACCESS_REVIEWS), body=review))["status"]
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
        timeout: float = _ANSWER_SECONDS,
    ) -> "RESTResponse":
        asked = urlencode({name: value for name, value in (query or {}).items() if value})
        response = self._connection.client.call_api(
            method,
            f"{self.server.address}{path}{'?' if asked else ''}{asked}",
            header_params={**self._headers(), "Content-Type": content_type},
            body=body,
            _request_timeout=(_CONNECT_SECONDS, timeout),
        )
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise error_from_response(self.server, response.status, response.read())
        return response

    def _headers(self) -> dict[str, str]:
        """Return the headers that say who is asking; a token may have been renewed since."""
        client = self._connection.client
        headers = {"Accept": "application/json", "User-Agent": "housectl"}
        client.update_params_for_auth(headers, [], ["BearerToken"], "", "", None)
        return headers

    def _object(self, data: bytes) -> dict[str, object]:
        """Return the object that an answer holds.

        Raises:
            ClusterError: What answers is no API server.
        """
        with suppress(ValueError):
            parsed = json.loads(data)
            if isinstance(parsed, dict):
                return parsed
        raise ClusterError(
            f"What answers at {self.server.address} is not Kubernetes' API.",
            hint=f"{self.server.kubectl} cluster-info   # then correct the kubeconfig",
        )
