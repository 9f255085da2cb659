"""An informer: a copy of an experiment's objects that watches keep up to date.

Waiting costs no requests except one for each watch, which lasts minutes. Each changed object is
decoded once.
"""

import time
from collections.abc import Sequence
from threading import Condition, Event, Thread
from typing import TypeVar, cast

from housectl.backends.katib.state.resource_groups import (
    TRIAL_GROUP,
    ResourceGroup,
    Selections,
    list_group,
)
from housectl.errors import ClusterError
from housectl.kube.client import Kube
from housectl.kube.errors import ListExpiredError
from housectl.kube.objects.base import NamedObject

_V = TypeVar("_V", bound=NamedObject)

_WATCH_SECONDS = 240
_MIN_BACKOFF_SECONDS, _MAX_BACKOFF_SECONDS = 0.5, 5.0


class Informer:
    """The objects of one experiment or task.

    Args:
        kube: A client for their namespace.
        selections: The selected objects of each resource group; trials before jobs and pods.
    """

    def __init__(self, kube: Kube, selections: Selections) -> None:
        self._kube = kube
        self._selections = selections
        self._objects: dict[ResourceGroup[NamedObject], dict[str, NamedObject]] = {}
        self._changed = Condition()
        self._revision = 0
        self._closed = Event()
        self._error: str | None = None
        versions = {group: self._list(group) for group in selections}
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

    def objects(self, group: ResourceGroup[_V]) -> Sequence[_V]:
        """Return the objects of a resource group."""
        with self._changed:
            return cast("list[_V]", list(self._objects[group].values()))

    def wait(self, last_revision: int, *, timeout: float, burst: float) -> None:
        """Return when the revision differs from `last_revision`, or after `timeout` seconds.

        Args:
            last_revision: The last revision that the caller has read.
            timeout: Seconds.
            burst: Seconds after the first change in which more changes are awaited.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._revision != last_revision, timeout):
                return
        time.sleep(min(burst, timeout))

    def close(self) -> None:
        """Start no more watches; open watches end by themselves."""
        self._closed.set()

    def _list(self, group: ResourceGroup[NamedObject]) -> str:
        """List the objects of a group, and return the version from which to watch it."""
        trials = self.objects(TRIAL_GROUP) if TRIAL_GROUP in self._objects else ()
        listing = list_group(self._kube, group, self._selections[group], trials)
        with self._changed:
            self._objects[group] = {item.metadata.name: item for item in listing.items}
            self._error = None
            self._notify()
        return listing.version

    def _follow(self, group: ResourceGroup[NamedObject], version: str) -> None:
        """Watch a group until closed; after an error, list it again with growing backoff."""
        backoff = _MIN_BACKOFF_SECONDS
        while not self._closed.is_set():
            try:
                version = self._watch(group, version or self._list(group))
                backoff = _MIN_BACKOFF_SECONDS
            except ListExpiredError:
                version = ""
            except ClusterError as error:
                self._set_error(error.message)
                version = ""
                backoff = min(2 * backoff, _MAX_BACKOFF_SECONDS)
            self._closed.wait(backoff)

    def _watch(self, group: ResourceGroup[NamedObject], version: str) -> str:
        """Apply the events of one watch; return the version from which to watch again.

        Raises:
            ListExpiredError: The group has to be listed again.
        """
        selection = self._selections[group]
        events = self._kube.watch(
            group.kind,
            group.model,
            labels=selection.labels,
            since=version,
            seconds=_WATCH_SECONDS,
        )
        for event in events:
            if self._closed.is_set():
                break
            version = event.object.metadata.resource_version
            if event.type != "BOOKMARK" and selection.accepts(event.object):
                self._apply(group, event.type, event.object)
        return version

    def _apply(self, group: ResourceGroup[NamedObject], event_type: str, item: NamedObject) -> None:
        with self._changed:
            if event_type == "DELETED":
                self._objects[group].pop(item.metadata.name, None)
            else:
                self._objects[group][item.metadata.name] = item
            self._notify()

    def _set_error(self, message: str) -> None:
        with self._changed:
            self._error = message
            self._notify()

    def _notify(self) -> None:
        self._revision += 1
        self._changed.notify_all()
