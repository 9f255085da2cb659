"""A mirror of an experiment's objects: listed once, then kept up to date by watches.

Waiting costs no requests but one for each watch, which lasts minutes.
"""

import time
from collections.abc import Mapping
from threading import Condition, Event, Thread

from housectl.backends.katib.state.cluster_objects import ResourceGroup, Selectors
from housectl.errors import ClusterError
from housectl.kube.client import Kube, Manifest

_WATCH_SECONDS = 240
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
# Changes come in bursts; whoever waits need not look at each.
_SETTLING_SECONDS = 0.2


class Informer:
    """The objects that belong to one experiment or task.

    Args:
        kube: The cluster.
        selectors: Which objects, part by part.
    """

    def __init__(self, kube: Kube, selectors: Selectors) -> None:
        self._kube = kube
        self._selectors = selectors
        self._objects: dict[ResourceGroup, dict[str, Manifest]] = {}
        self._changed = Condition()
        self._count = 0
        self._closed = Event()
        self._trouble: str | None = None
        versions = {part: self._list(part) for part in selectors}
        for part, version in versions.items():
            Thread(target=self._follow, args=(part, version), daemon=True).start()

    @property
    def revision(self) -> int:
        """A number that grows with every change."""
        return self._count

    @property
    def error(self) -> str | None:
        """Why nothing is heard of the cluster just now."""
        return self._trouble

    def objects(self, part: ResourceGroup) -> list[Manifest]:
        """Return the objects of a part as they were last heard of."""
        with self._changed:
            return list(self._objects[part].values())

    def wait(self, seen: int, *, timeout: float) -> None:
        """Return when there was a change since `count` was `seen`, or after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._count != seen, timeout):
                return
        time.sleep(min(_SETTLING_SECONDS, timeout))

    def close(self) -> None:
        """Stop following; watches that are open end by themselves."""
        self._closed.set()

    def _list(self, part: ResourceGroup) -> str:
        listing = self._kube.list(part.kind, labels=self._selectors[part])
        with self._changed:
            self._objects[part] = {_name(item): item for item in listing.items}
            self._trouble = None
            self._notify()
        return listing.version

    def _follow(self, part: ResourceGroup, version: str) -> None:
        """Watch a part until closed; after whatever breaks, list it again, ever less often."""
        pause = _FIRST_PAUSE
        while not self._closed.is_set():
            try:
                version = self._watch(part, version or self._list(part))
                pause = _FIRST_PAUSE
            except ClusterError as error:
                self._set_error(error.message)
                version = ""
                pause = min(2 * pause, _LONGEST_PAUSE)
            self._closed.wait(pause)

    def _watch(self, part: ResourceGroup, version: str) -> str:
        """Follow one watch to its end, and return where to go on; empty for a new list."""
        labels = self._selectors[part]
        for change in self._kube.watch(
            part.kind, labels=labels, since=version, seconds=_WATCH_SECONDS
        ):
            if self._closed.is_set():
                break
            if change.type == "ERROR":
                return ""
            version = _version(change.object)
            if change.type != "BOOKMARK":
                self._apply(part, change.type, change.object)
        return version

    def _apply(self, part: ResourceGroup, change: str, item: Manifest) -> None:
        with self._changed:
            if change == "DELETED":
                self._objects[part].pop(_name(item), None)
            else:
                self._objects[part][_name(item)] = item
            self._notify()

    def _set_error(self, trouble: str) -> None:
        with self._changed:
            self._trouble = trouble
            self._notify()

    def _notify(self) -> None:
        self._count += 1
        self._changed.notify_all()


def _name(item: Manifest) -> str:
    return _metadata(item, "name")


def _version(item: Manifest) -> str:
    return _metadata(item, "resourceVersion")


def _metadata(item: Manifest, key: str) -> str:
    metadata = item.get("metadata")
    return str(metadata.get(key, "")) if isinstance(metadata, Mapping) else ""
