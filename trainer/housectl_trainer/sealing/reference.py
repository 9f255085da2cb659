"""The reference of a bundle, computed from the training rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from housectl.contract.column_types import Boolean, Category, ColumnType
from housectl.contract.golden import GoldenSource
from housectl.contract.reference import Distribution, Reference
from housectl_trainer.data import Dataset
from housectl_trainer.subset import Floats

_SMALLEST_COUNT = 10
_COUNT_STEP = 5
# Edges of the target: the outer bins have this share of the rows each.
_OUTER_PERCENT = 1


@dataclass(frozen=True, kw_only=True)
class _Precision:
    """Amount of detail about the training rows.

    Attributes:
        bins: Number of bins of a number or a date.
        target_bins: Number of bins of the target.
        rounded: True if edges and counts are rounded, and small counts are 0.
    """

    bins: int
    target_bins: int
    rounded: bool


_PRECISIONS = {
    GoldenSource.DATA: _Precision(bins=10, target_bins=20, rounded=False),
    GoldenSource.SYNTHETIC: _Precision(bins=5, target_bins=10, rounded=True),
}


def make_reference(dataset: Dataset, source: GoldenSource) -> Reference:
    """Return the distributions of the training rows; equal rows give equal numbers.

    Args:
        dataset: The data of the experiment.
        source: Origin of the golden rows. If they are synthetic because no row may be published,
            the distributions have fewer bins, rounded edges and no small counts.
    """
    precision = _PRECISIONS[source]
    schema, targets = dataset.shared.schema, dataset.training.targets
    values = dataset.values[: len(targets)]
    low, high = float(targets.min()), float(targets.max())
    if precision.rounded:
        low, high = _rounded((low, high), span=high - low)
    return Reference(
        rows=len(targets),
        features={
            feature.name: _distribution(values[:, number], feature.type, precision)
            for number, feature in enumerate(schema.features)
        },
        target=_counted(targets, _target_edges(targets, precision), precision),
        target_range=(low, high),
        rounded=precision.rounded,
    )


def _distribution(values: Floats, column: ColumnType, precision: _Precision) -> Distribution:
    match column:
        case Boolean():
            edges: Sequence[float] = [0.5]
        case Category():
            edges = [code - 0.5 for code in range(column.codes)]
        case _:
            edges = _quantiles(values[~np.isnan(values)], precision)
    return _counted(values, edges, precision)


def _counted(values: Floats, edges: Sequence[float], precision: _Precision) -> Distribution:
    *counts, missing = (
        Distribution(edges=tuple(edges), counts=(0,) * (len(edges) + 1)).count(values).tolist()
    )
    if precision.rounded:
        *counts, missing = map(_rounded_count, (*counts, missing))
    return Distribution(edges=tuple(edges), counts=tuple(counts), missing=missing)


def _quantiles(values: Floats, precision: _Precision) -> Sequence[float]:
    """Return the distinct inner quantiles, which are values themselves unless they are rounded."""
    if len(values) == 0:
        return ()
    ordered, bins = np.sort(values), precision.bins
    places = [-(-number * len(ordered) // bins) - 1 for number in range(1, bins)]
    low, high = float(ordered[0]), float(ordered[-1])
    quantiles: Iterable[float] = ordered[places].tolist()
    if precision.rounded:
        quantiles = _rounded(quantiles, span=high - low)
    # No training value is above the largest one.
    return sorted({each for each in quantiles if each < high or low == high})


def _target_edges(targets: Floats, precision: _Precision) -> Sequence[float]:
    """Return edges with equal distances; outliers are in the outer bins."""
    ordered = np.sort(targets)
    outer = len(ordered) * _OUTER_PERCENT // 100
    low, high = float(ordered[outer]), float(ordered[-1 - outer])
    if low == high:
        low, high = float(ordered[0]), float(ordered[-1])
    steps = precision.target_bins - 2
    edges = [low + (high - low) * (number / steps) for number in range(steps + 1)]
    return sorted(set(_rounded(edges, span=high - low) if precision.rounded else edges))


def _rounded(values: Iterable[float], *, span: float) -> list[float]:
    """Return multiples of a power of ten that is at most a tenth of the span."""
    exponent = int(f"{span:e}".partition("e")[2]) - 1 if span else 0
    # Adding 0.0 removes the sign of -0.0.
    return [round(each, -exponent) + 0.0 for each in values]


def _rounded_count(count: int) -> int:
    return 0 if count < _SMALLEST_COUNT else round(count / _COUNT_STEP) * _COUNT_STEP
