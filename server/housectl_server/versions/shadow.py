"""The shadow: a version that predicts the champion's rows again, for a comparison.

The rows come from the buffers that metrics are made of, so a request pays nothing for it.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from housectl.contract.bundle import Bundle
from housectl.contract.scorer import open_bundle
from housectl_server.monitoring.model_counts import ModelCounts
from housectl_server.monitoring.snapshot import DIFFERENCE_BUCKETS, ShadowSnapshot
from housectl_server.versions.eligibility import NO_CHAMPION, Eligibility, eligibility

MAX_WAITING_ROWS = 20_000
# The event loop waits for the interpreter's lock between slices at most.
_SLICE_ROWS = 256

Floats = NDArray[np.float64]


class Shadow:
    """Compares the predictions of a version with those of the champion, in a thread.

    The comparison starts again with each champion.

    Args:
        bundle: The version.

    Attributes:
        bundle: The version.
        eligibility: Status of the shadow, and the reason if it is not compared.

    Raises:
        BundleError: The graph is invalid, or its prediction for a golden row differs.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.eligibility: Eligibility = NO_CHAMPION
        self._scorer = open_bundle(bundle)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shadow")
        self._lock = Lock()
        self._waiting_rows = 0
        self._former: ShadowSnapshot | None = None
        self._counts = self._new_counts("")

    def follow(self, champion: Bundle | None, counts: ModelCounts | None) -> None:
        """Compare with another champion from now on.

        Args:
            champion: The champion; None without one.
            counts: Counts of its predictions, which hand over its rows.
        """
        self.eligibility = eligibility(self.bundle, champion)
        if champion is None or counts is None:
            return
        former, self._former = self._former, None
        with self._lock:
            if former and (former.digest, former.champion) == (self.bundle.digest, champion.digest):
                self._counts = former
            elif self._counts.champion != champion.digest:
                self._counts = self._new_counts(champion.digest)
        counts.listener = partial(self._offer, self._counts) if self.eligibility.is_active else None

    def inherit(self, former: ShadowSnapshot | None) -> None:
        """Continue the counts of the worker that this one replaces."""
        self._former = former

    def snapshot(self) -> ShadowSnapshot:
        """Return a copy of the counts."""
        with self._lock:
            return self._counts.copy()

    def close(self) -> None:
        """Forget the waiting rows."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _new_counts(self, champion: str) -> ShadowSnapshot:
        return ShadowSnapshot(
            digest=self.bundle.digest,
            version=self.bundle.version,
            champion=champion,
            buckets=[0] * (len(DIFFERENCE_BUCKETS) + 1),
        )

    def _offer(
        self, counts: ShadowSnapshot, rows: Floats, predictions: Sequence[float] | Floats
    ) -> None:
        """Compare rows later, or drop them if too many wait; any thread may call it."""
        with self._lock:
            if self._waiting_rows + len(rows) > MAX_WAITING_ROWS:
                counts.dropped += len(rows)
                return
            self._waiting_rows += len(rows)
        expected = np.asarray(predictions)
        self._thread.submit(self._compare, rows, expected, counts)

    def _compare(self, rows: Floats, expected: Floats, counts: ShadowSnapshot) -> None:
        try:
            for start in range(0, len(rows), _SLICE_ROWS):
                part = slice(start, start + _SLICE_ROWS)
                found = np.array(self._scorer.predict(rows[part]))
                with self._lock:
                    add_differences(counts, expected[part], found)
        finally:
            with self._lock:
                self._waiting_rows -= len(rows)


def add_differences(counts: ShadowSnapshot, champion: Floats, shadow: Floats) -> None:
    """Count the differences of predictions; one that is not finite is a failure.

    Args:
        counts: Counts that are changed.
        champion: Predictions of the champion, `(n,)`.
        shadow: Predictions of the shadow for the same rows, `(n,)`.
    """
    finite = np.isfinite(shadow)
    champion, shadow = champion[finite], shadow[finite]
    absolute = np.abs(shadow - champion)
    scale = np.maximum(np.abs(shadow), np.abs(champion))
    relative = np.divide(absolute, scale, out=np.zeros_like(absolute), where=scale > 0)
    bins = np.searchsorted(DIFFERENCE_BUCKETS, relative, side="left")
    counts.failures += int(np.count_nonzero(~finite))
    counts.rows += len(shadow)
    counts.absolute_sum += math.fsum(absolute)
    counts.relative_sum += math.fsum(relative)
    for bucket in bins.tolist():
        counts.buckets[bucket] += 1
