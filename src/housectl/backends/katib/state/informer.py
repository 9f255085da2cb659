"""An informer: a copy of an experiment's objects that watches keep up to date.

Waiting costs no requests except one for each watch, which lasts minutes.
"""

import time
from collections.abc import Mapping
from threading import Condition, Event, Thread

from housectl.backends.katib.state.cluster_objects import ResourceGroup, Selectors
from housectl.errors import ClusterError
from housectl.kube.client import Kube
from housectl.kube.objects.base import Manifest

_WATCH_SECONDS = 240
_MIN_BACKOFF_SECONDS, _MAX_BACKOFF_SECONDS = 0.5, 5.0
# Changes come in bursts, so a waiting command reads only the last one.
_BURST_SECONDS = 0.2


class Informer:
    """The objects of one experiment or task.

    Args:
        kube: A client for their namespace.
        selectors: Label selector of each resource group.
    """

    def __init__(self, kube: Kube, selectors: Selectors) -> None:
        self._kube = kube
        self._selectors = selectors
        self._objects: dict[ResourceGroup, dict[str, Manifest]] = {}
        self._changed = Condition()
        self._revision = 0
        self._closed = Event()
        self._error: str | None = None
        versions = {group: self._list(group) for group in selectors}
        for group, version in versions.items():
            Thread(target=self._follow, args=(group, version), daemon=True).start()

    @property
    def revision(self) -> int:
        """A number that grows with every change."""
        return self._revision

    @property
    def error(self) -> str | None:
        """The last error of a watch; None while all watches work."""
        return self._error

    def objects(self, group: ResourceGroup) -> list[Manifest]:
        """Return the objects of a resource group."""
        with self._changed:
            return list(self._objects[group].values())

    def wait(self, last_revision: int, *, timeout: float) -> None:
        """Return when the revision differs from `last_revision`, or after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._revision != last_revision, timeout):
                return
        time.sleep(min(_BURST_SECONDS, timeout))

    def close(self) -> None:
        """Start no more watches; open watches end by themselves."""
        self._closed.set()

    def _list(self, group: ResourceGroup) -> str:
        """List the objects of a group, and return the version from which to watch it."""
        listing = self._kube.list(group.kind, labels=self._selectors[group])
        with self._changed:
            self._objects[group] = {_name(item): item for item in listing.items}
            self._error = None
            self._notify()
        return listing.version

    def _follow(self, group: ResourceGroup, version: str) -> None:
        """Watch a group until closed; after an error, list it again with growing backoff."""
        backoff = _MIN_BACKOFF_SECONDS
        while not self._closed.is_set():
            try:
                version = self._watch(group, version or self._list(group))
                backoff = _MIN_BACKOFF_SECONDS
            except ClusterError as error:
                self._set_error(error.message)
                version = ""
                backoff = min(2 * backoff, _MAX_BACKOFF_SECONDS)
            self._closed.wait(backoff)

    def _watch(self, group: ResourceGroup, version: str) -> str:
        """Apply the events of one watch; return the version for the next, or empty to list."""
        labels = self._selectors[group]
        events = self._kube.watch(group.kind, labels=labels, since=version, seconds=_WATCH_SECONDS)
        for event in events:
            if self._closed.is_set():
                break
            if event.type == "ERROR":
                return ""
            version = _version(event.object)
            if event.type != "BOOKMARK":
                self._apply(group, event.type, event.object)
        return version

    def _apply(self, group: ResourceGroup, event_type: str, item: Manifest) -> None:
        with self._changed:
            if event_type == "DELETED":
                self._objects[group].pop(_name(item), None)
            else:
                self._objects[group][_name(item)] = item
            self._notify()

    def _set_error(self, message: str) -> None:
        with self._changed:
            self._error = message
            self._notify()

    def _notify(self) -> None:
        self._revision += 1
        self._changed.notify_all()


def _name(item: Manifest) -> str:
    return _metadata(item, "name")


def _version(item: Manifest) -> str:
    return _metadata(item, "resourceVersion")


def _metadata(item: Manifest, key: str) -> str:
    metadata = item.get("metadata")
    return str(metadata.get(key, "")) if isinstance(metadata, Mapping) else ""
