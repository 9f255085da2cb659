"""Progress of work with many parts, as the finished share of it."""

from collections.abc import Callable
from threading import Lock

ShareReporter = Callable[[float], object]
"""Receives the finished share of the work, from 0 to 1."""


def ignore_share(_: float) -> None:
    """Ignore the finished share."""


class WorkProgress:
    """Reports the finished share of the work: 0 at the start, then from any thread.

    Args:
        total: Amount of all work, in any unit.
        report: Receives the share.
    """

    def __init__(self, total: int, report: ShareReporter) -> None:
        self._total = total
        self._report = report
        self._done = 0
        self._lock = Lock()
        self.add(0)

    def add(self, work: int) -> None:
        """Report that this amount of work is finished."""
        with self._lock:
            self._done += work
            self._report(min(1.0, self._done / self._total) if self._total else 1.0)
