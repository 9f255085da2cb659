"""Counts of the predictions of one model: values out of range, predictions, and the latest rows."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from housectl.contract.bundle import Bundle
from housectl.contract.reference import Distribution, Reference
from housectl.contract.schema import Schema
from housectl.contract.terminal_text import printable
from housectl_server.monitoring.sliding_window import SlidingWindow
from housectl_server.monitoring.snapshot import ModelDescription, ModelSnapshot

# Number of features that have series of their own.
MAX_FEATURES = 100
OTHER_FEATURES = "other"
NO_REFERENCE = (
    "The bundle has no reference: an earlier version of housectl sealed it. Seal the model again."
)

_MAX_LABEL_LENGTH = 100
# Larger tables are counted in the thread that predicts them.
_MAX_PENDING_ROWS = 256

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class _Counts:
    """Counts of some rows.

    Attributes:
        out_of_range: `(features,)`.
        bins: Counts of all bins of the features that have series of their own.
        buckets: Counts of the predictions.
    """

    rows: int
    out_of_range: NDArray[np.int64]
    bins: NDArray[np.int64]
    buckets: NDArray[np.int64]
    prediction_sum: float


Listener = Callable[[NDArray[np.float64], Sequence[float]], None]


class ModelCounts:
    """Counts of the predictions of one model.

    Args:
        bundle: The served bundle.
        number: Number of the history entry that made it the champion.

    Attributes:
        listener: Gets the counted rows with their predictions, from any thread; None for none.
    """

    def __init__(self, bundle: Bundle, *, number: int) -> None:
        schema, reference = bundle.record.schema, bundle.reference
        self.listener: Listener | None = None
        self._names = schema.feature_names
        self._minima = np.array([each.minimum for each in schema.features])
        self._maxima = np.array([each.maximum for each in schema.features])
        self.description = _describe(bundle, number)
        self._bins = BinCounter(_distributions(schema, reference))
        self._prediction_edges = np.array(self.description.prediction_edges)
        self._pending: list[tuple[NDArray[np.float64], Sequence[float]]] = []
        self._counted: list[_Counts] = []
        self._out_of_range = np.zeros(len(self._names), dtype="int64")
        self._earlier_out_of_range: dict[str, int] = {}
        self._buckets = np.zeros(len(self._prediction_edges) + 1, dtype="int64")
        self._prediction_sum = 0.0
        self._window = SlidingWindow(bins=self._bins.total)

    def record(self, rows: NDArray[np.float64], predictions: Sequence[float]) -> None:
        """Add predictions, which the next flush counts; any thread may add them.

        Args:
            rows: `(n, features)` doubles; see `cells`.
            predictions: `(n,)`.
        """
        if len(predictions) <= _MAX_PENDING_ROWS:
            self._pending.append((rows, predictions))
        else:
            self._counted.append(self._count(rows, predictions))

    def flush(self) -> int:
        """Count the added predictions; return their number."""
        counts = _take_all(self._counted)
        if pending := _take_all(self._pending):
            rows, predictions = zip(*pending, strict=True)
            counts.append(self._count(np.concatenate(rows), list(chain.from_iterable(predictions))))
        for each in counts:
            self._add(each)
        return sum(each.rows for each in counts)

    def inherit(self, model: ModelSnapshot) -> None:
        """Continue the counts of the model that is replaced, or of a worker that is replaced."""
        if model.description.digest == self.description.digest:
            self._out_of_range += np.array(model.out_of_range, dtype="int64")
            self._earlier_out_of_range = model.earlier_out_of_range
            self._window.blocks.extend(model.window)
        else:
            self._earlier_out_of_range = out_of_range_by_label(model)
        if model.description.prediction_edges == self.description.prediction_edges:
            self._buckets += np.array(model.prediction_buckets, dtype="int64")
            self._prediction_sum += model.prediction_sum

    def snapshot(self) -> ModelSnapshot:
        """Return the counts of all flushed predictions."""
        return ModelSnapshot(
            description=self.description,
            out_of_range=self._out_of_range.tolist(),
            earlier_out_of_range=self._earlier_out_of_range,
            prediction_buckets=self._buckets.tolist(),
            prediction_sum=self._prediction_sum,
            window=self._window.snapshot(),
        )

    def _count(self, rows: NDArray[np.float64], predictions: Sequence[float]) -> _Counts:
        if listener := self.listener:
            listener(rows, predictions)
        # Comparisons with NaN are false, so missing values are not counted.
        outside = (rows < self._minima) | (rows > self._maxima)
        bucket = np.searchsorted(self._prediction_edges, predictions, side="left")
        return _Counts(
            rows=len(predictions),
            out_of_range=np.count_nonzero(outside, axis=0),
            bins=self._bins.count(rows),
            buckets=np.bincount(bucket, minlength=len(self._buckets)),
            prediction_sum=float(np.sum(predictions)),
        )

    def _add(self, counts: _Counts) -> None:
        self._out_of_range += counts.out_of_range
        self._buckets += counts.buckets
        self._prediction_sum += counts.prediction_sum
        self._window.add(counts.bins, rows=counts.rows, now=time.time())


class BinCounter:
    """Counts the values of several features in the bins of their distributions.

    Args:
        distributions: One for each of the first features; empty to count nothing.

    Attributes:
        total: Number of bins of all features. The last bin of each has the missing values.
    """

    def __init__(self, distributions: Sequence[Distribution]) -> None:
        self._edges = [np.array(each.edges, dtype="float64") for each in distributions]
        *offsets, self.total = accumulate((len(each) + 2 for each in self._edges), initial=0)
        self._offsets = np.array(offsets, dtype="int64")

    def count(self, rows: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the number of values in each bin, `(total,)`.

        Args:
            rows: `(n, features)` doubles; NaN if missing.
        """
        values = rows[:, : len(self._edges)]
        bins = np.isnan(values).astype("int64")
        for number, edges in enumerate(self._edges):
            # NaN is after all edges, and the missing values have the bin after the last one.
            bins[:, number] += np.searchsorted(edges, values[:, number], side="left")
        return np.bincount((bins + self._offsets).ravel(), minlength=self.total)


def _take_all(items: list[_Item]) -> list[_Item]:
    """Remove the items of a list, to which other threads may append, and return them."""
    taken = items.copy()
    del items[: len(taken)]
    return taken


def out_of_range_by_label(model: ModelSnapshot) -> dict[str, int]:
    """Return the number of values out of range by label, with those of earlier models."""
    labels = model.description.labels
    counts = dict(zip(labels, model.out_of_range, strict=False))
    if len(model.out_of_range) > len(labels):
        counts[OTHER_FEATURES] = sum(model.out_of_range[len(labels) :])
    earlier = model.earlier_out_of_range
    return {label: count + earlier.get(label, 0) for label, count in counts.items()}


def _describe(bundle: Bundle, number: int) -> ModelDescription:
    record, reference = bundle.record, bundle.reference
    return ModelDescription(
        number=number,
        digest=bundle.digest,
        version=bundle.version,
        family=record.recipe.family,
        labels=_labels(record.schema.feature_names),
        expected=tuple(
            (*each.counts, each.missing) for each in _distributions(record.schema, reference)
        ),
        prediction_edges=reference.target.edges if reference else (),
    )


def _distributions(schema: Schema, reference: Reference | None) -> list[Distribution]:
    if reference is None:
        return []
    return [reference.features[name] for name in schema.feature_names[:MAX_FEATURES]]


def _labels(names: Sequence[str]) -> tuple[str, ...]:
    """Return a different label for each of the first features, without control characters."""
    labels: dict[str, None] = {}
    for number, name in enumerate(names[:MAX_FEATURES], start=1):
        label = printable(name)[:_MAX_LABEL_LENGTH]
        labels[f"{label} ({number})" if label in {*labels, OTHER_FEATURES} else label] = None
    return tuple(labels)
