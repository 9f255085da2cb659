"""The background writer: a thread that writes what requests put into a bounded queue."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from threading import Event, Thread
from typing import Generic, TypeVar

_WRITE_SECONDS = 0.05
_CLOSE_SECONDS = 2.0

_log = logging.getLogger(__name__)

Item = TypeVar("Item")


class LineResult(StrEnum):
    """Outcome of a line of a log."""

    WRITTEN = "written"
    DROPPED = "dropped"


class BackgroundWriter(Generic[Item]):
    """Writes items in a thread. No request waits for it: items without room are dropped.

    Args:
        write: Writes items, in their order.
        name: Name of the log, for messages.

    Attributes:
        lines: Number of items by result.
    """

    def __init__(self, write: Callable[[Sequence[Item]], None], *, name: str) -> None:
        self.lines = dict.fromkeys(LineResult, 0)
        self._write = write
        self._name = name
        self._items: deque[Item] = deque()
        self._overflows = 0
        self._failures = 0
        self._is_failing = False
        self._is_closing = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: Item, *, capacity: int) -> None:
        """Add an item, unless so many wait already."""
        if len(self._items) < capacity:
            self._items.append(item)
        else:
            self._overflows += 1
            self._count()

    def close(self) -> None:
        """Write the items that wait, but not for long: the disk may hang."""
        self._is_closing.set()
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._is_closing.wait(_WRITE_SECONDS):
            self._write_waiting()
        self._write_waiting()

    def _write_waiting(self) -> None:
        items = [self._items.popleft() for _ in range(len(self._items))]
        if not items:
            return
        try:
            self._write(items)
        except OSError as error:
            self._failures += len(items)
            if not self._is_failing:
                _log.error("the %s cannot be written, and lines are dropped: %s", self._name, error)
            self._is_failing = True
        else:
            self.lines[LineResult.WRITTEN] += len(items)
            if self._is_failing:
                _log.info("the %s is written again", self._name)
            self._is_failing = False
        self._count()

    def _count(self) -> None:
        # Each number has one thread that changes it.
        self.lines[LineResult.DROPPED] = self._overflows + self._failures
