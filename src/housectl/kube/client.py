"""Requests to the objects of one namespace; objects are plain mappings or models."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar
from urllib.parse import quote, urlencode

from housectl.errors import NotFoundError
from housectl.kube.connection import Connection, connect
from housectl.kube.errors import ApiServer, Explain, no_explanation
from housectl.kube.exec import ExecStreams
from housectl.kube.kinds import ACCESS_REVIEWS, PODS, Kind
from housectl.kube.objects.base import KubeObject, Manifest, parse

_V = TypeVar("_V", bound=KubeObject)

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
        return connect(self.context, self.explain)

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
        return self._connection.request_object("GET", path)

    def get(self, kind: Kind, name: str, as_type: type[_V], *, namespace: str | None = None) -> _V:
        """Return one object.

        Raises:
            NotFoundError: The object does not exist.
        """
        path = self._path(kind, name, namespace=namespace)
        return parse(as_type, self._connection.request_object("GET", path))

    def list(self, kind: Kind, *, labels: str = "", fields: str = "") -> Listing:
        """Return the objects of a kind.

        Args:
            kind: Their kind.
            labels: A label selector.
            fields: A field selector.
        """
        query = {"labelSelector": labels, "fieldSelector": fields}
        content = self._connection.request_object("GET", self._path(kind), query=query)
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
        for line in self._connection.stream_lines(self._path(kind), query, timeout=seconds + 10.0):
            event = json.loads(line)
            yield WatchEvent(type=str(event["type"]), object=event["object"])

    def create(self, kind: Kind, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Create an object, or only let the cluster validate it.

        Raises:
            ConflictError: It exists already.
            RejectedError: The cluster finds it invalid.
        """
        query = {"dryRun": "All"} if dry_run else {}
        return self._connection.request_object("POST", self._path(kind), body=manifest, query=query)

    def patch(self, kind: Kind, name: str, change: Manifest) -> None:
        """Merge a change into an object; a value of None removes its key."""
        self._connection.request(
            "PATCH", self._path(kind, name), body=change, content_type=_MERGE_PATCH
        )

    def delete(self, kind: Kind, name: str) -> None:
        """Delete an object and, in the background, its dependents. Idempotent."""
        try:
            self._connection.request(
                "DELETE", self._path(kind, name), body={"propagationPolicy": "Background"}
            )
        except NotFoundError:
            return

    def log(self, pod: str, container: str, *, tail: int | None = None) -> str:
        """Return the log of a container, or its last `tail` lines.

        Raises:
            RejectedError: The container has not started.
        """
        query = {"container": container, **({"tailLines": str(tail)} if tail else {})}
        path = f"{self._path(PODS, pod)}/log"
        return self._connection.request("GET", path, query=query).decode(errors="replace")

    def exec(self, pod: str, container: str, command: Sequence[str]) -> ExecStreams:
        """Run a command in a container and return its streams.

        Raises:
            ClusterUnreachableError: The cluster does not answer.
        """
        query = [("container", container), *(("command", word) for word in command)]
        query += [(stream, "true") for stream in ("stdin", "stdout", "stderr")]
        return self._connection.exec(f"{self._path(PODS, pod)}/exec?{urlencode(query)}")

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
