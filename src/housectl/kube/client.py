"""Requests to the objects of one namespace; objects are plain mappings or models."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

from housectl.errors import NotFoundError
from housectl.kube.connection import Connection, connect
from housectl.kube.errors import ApiServer, Explain, ListExpiredError, no_explanation
from housectl.kube.exec import ExecStreams
from housectl.kube.kinds import ACCESS_REVIEWS, PODS, Kind
from housectl.kube.objects.base import (
    KubeObject,
    Manifest,
    RawWatchEvent,
    decode,
    decode_page,
)

_V = TypeVar("_V", bound=KubeObject)

_MERGE_PATCH = "application/merge-patch+json"
# The page size of kubectl.
_PAGE_SIZE = 500
# The API server deletes the objects of a collection one by one, and ends a request after a minute.
_COLLECTION_SECONDS = 70.0
# The API server forgets the version of a list after some minutes.
_PAGED_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[_V]):
    """Objects of one kind at one resource version, from which a watch can continue."""

    items: tuple[_V, ...]
    version: str


@dataclass(frozen=True, kw_only=True)
class WatchEvent(Generic[_V]):
    """An event of a watch; `type` is ADDED, MODIFIED, DELETED or BOOKMARK."""

    type: str
    object: _V


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
        return self._connection.request_decoded(path, {}, lambda data: decode(as_type, data))

    def list(
        self, kind: Kind, as_type: type[_V], *, labels: str = "", fields: str = ""
    ) -> Listing[_V]:
        """Return the objects of a kind, which are read in pages.

        Args:
            kind: Their kind.
            as_type: Their model.
            labels: A label selector.
            fields: A field selector.
        """
        query = {"labelSelector": labels, "fieldSelector": fields}
        for _ in range(_PAGED_ATTEMPTS):
            with suppress(ListExpiredError):
                return self._list(kind, as_type, {**query, "limit": str(_PAGE_SIZE)})
        return self._list(kind, as_type, query)

    def list_as(
        self, kind: Kind, as_type: type[_V], *, labels: str = "", fields: str = ""
    ) -> tuple[_V, ...]:
        """Return the objects of a kind, without the version of the list."""
        return self.list(kind, as_type, labels=labels, fields=fields).items

    def watch(
        self, kind: Kind, as_type: type[_V], *, labels: str, since: str, seconds: int
    ) -> Iterator[WatchEvent[_V]]:
        """Yield the events after a resource version, for at most `seconds`.

        Raises:
            ListExpiredError: The API server has forgotten the version.
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
            event = decode(RawWatchEvent, line)
            if event.type == "ERROR":
                raise ListExpiredError.of(self.server, bytes(event.object))
            yield WatchEvent(type=event.type, object=decode(as_type, event.object))

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

    def delete_selected(self, kind: Kind, *, labels: str) -> None:
        """Delete the objects that a label selector selects, as `delete` does, in one request.

        Raises:
            ValueError: The selector is empty; it would select all objects of the namespace.
        """
        if not labels:
            raise ValueError("an empty label selector selects all objects")
        self._connection.request(
            "DELETE",
            self._path(kind),
            query={"labelSelector": labels},
            body={"propagationPolicy": "Background"},
            timeout=_COLLECTION_SECONDS,
        )

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

    def _list(self, kind: Kind, as_type: type[_V], query: Mapping[str, str]) -> Listing[_V]:
        """Return the objects of a kind; an incomplete list is never returned.

        Raises:
            ListExpiredError: The API server has forgotten the version of the first page.
        """
        path = self._path(kind)
        items: list[_V] = []
        token = ""
        while True:
            page = self._connection.request_decoded(
                path, {**query, "continue": token}, lambda data: decode_page(as_type, data)
            )
            items += page.items or ()
            token = page.metadata.continue_
            if not token:
                return Listing(items=tuple(items), version=page.metadata.resource_version)

    def _path(self, kind: Kind, name: str = "", *, namespace: str | None = None) -> str:
        path = kind.path(namespace or self.namespace)
        return f"{path}/{quote(name)}" if name else path
