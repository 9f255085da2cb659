"""Counts and durations of HTTP requests, by method, handler and status."""

from collections import defaultdict
from collections.abc import Iterable
from operator import add

import numpy as np

from housectl_server.monitoring.snapshot import RequestSeries

DURATION_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_BUCKET_ENDS = np.array(DURATION_BUCKETS)
# Handlers are templates, so clients cannot exceed this number; a mistake in the server could.
_MAX_SERIES = 1000
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
_OTHER = "other"

# Method, handler, status, and duration in seconds.
Request = tuple[str, str, int, float]


class RequestCounts:
    """Counts of answered requests.

    Args:
        series: Counts to continue.

    Attributes:
        add: Adds a request; a request pays for nothing else.
    """

    def __init__(self, series: Iterable[RequestSeries] = ()) -> None:
        self._series = {(each.method, each.handler, each.status): each for each in series}
        self._pending: list[Request] = []
        self.add = self._pending.append

    @property
    def series(self) -> list[RequestSeries]:
        """One element for each combination of labels."""
        return list(self._series.values())

    def flush(self) -> bool:
        """Count the added requests; return True if there are any."""
        pending = self._pending.copy()
        del self._pending[: len(pending)]
        durations_of = defaultdict(list)
        for method, handler, status, seconds in pending:
            durations_of[method, handler, status].append(seconds)
        for labels, durations in durations_of.items():
            self._count(*labels, durations)
        return bool(pending)

    def _count(self, method: str, handler: str, status: int, durations: list[float]) -> None:
        series = self._find_or_add(method if method in _METHODS else _OTHER, handler, status)
        series.seconds += sum(durations)
        bins = np.searchsorted(_BUCKET_ENDS, durations, side="left")
        new = np.bincount(bins, minlength=len(series.buckets)).tolist()
        series.buckets = list(map(add, series.buckets, new))

    def _find_or_add(self, *labels: *tuple[str, str, int]) -> RequestSeries:
        if labels not in self._series:
            if len(self._series) >= _MAX_SERIES:
                labels = (_OTHER, _OTHER, 0)
            empty = [0] * (len(DURATION_BUCKETS) + 1)
            self._series.setdefault(labels, RequestSeries(*labels, 0.0, empty))
        return self._series[labels]
