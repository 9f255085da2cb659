"""Features that give the target alone: in another unit, transformed, rounded, or as a code."""

from collections.abc import Iterator

import numpy as np

from housectl.data_checks.least_squares import standardise
from housectl.data_checks.sample import Floats, Sample

UNEXPLAINED = 1e-6
"""Largest share of the target's variance that an almost exact relation leaves."""
MIN_ROWS = 30

MAX_CLASSES = 10
"""A target with at most so many different values looks like classes."""

_UNEXPLAINED_BY_VALUES = 1e-3
_UNEXPLAINED_BY_BANDS = 0.5
_MIN_BANDS = 3
_ROWS_PER_CODE = 5


def find_copies(sample: Sample) -> dict[str, str]:
    """Return the relation of each feature that gives the target almost exactly.

    Each test uses the rows in which the feature is not missing.
    """
    return dict(_copies(sample))


def share(residuals: Floats, target: Floats) -> float:
    """Return the share of the target's variance that the residuals have."""
    total = float(np.sum((target - target.mean()) ** 2))
    return float(np.sum(residuals**2)) / total if total else np.inf


def _copies(sample: Sample) -> Iterator[tuple[str, str]]:
    target = standardise(sample.target)
    for name, column in sample.features.items():
        present = ~np.isnan(column)
        if present.sum() < max(MIN_ROWS, len(column) / 2):
            continue
        values, targets = column[present], target[present]
        if name in sample.categories:
            relation = _relation_of_codes(values, targets)
        else:
            relation = _relation_of_numbers(standardise(values), targets)
        if relation:
            yield name, relation


def _relation_of_numbers(values: Floats, target: Floats) -> str | None:
    if np.ptp(values) == 0 or np.ptp(target) == 0:
        return None
    if share(_linear_residuals(values, target), target) <= UNEXPLAINED:
        return "almost exactly, in another unit"
    # A threshold of a good feature may separate few values of a target.
    is_fine = len(np.unique(target)) > MAX_CLASSES
    if is_fine and (_rises(values, target) or _rises(values, -target)):
        return "almost exactly, transformed or rounded"
    return _relation_of_codes(values, target)


def _linear_residuals(values: Floats, target: Floats) -> Floats:
    """Return the residuals of least squares on standardised values."""
    moved = target - target.mean()
    slope = float(values @ moved) / len(values)
    residuals: Floats = moved - values * slope
    return residuals


def _rises(values: Floats, target: Floats) -> bool:
    """Return True if the target never falls where the values rise, and equal values are close."""
    if _falls(values, target) > UNEXPLAINED:
        return False
    return share(target - _means_by_value(values, target), target) <= _UNEXPLAINED_BY_VALUES


def _relation_of_codes(values: Floats, target: Floats) -> str | None:
    distinct = len(np.unique(values))
    if distinct > len(values) / _ROWS_PER_CODE:
        return None
    means = _means_by_value(values, target)
    unexplained = share(target - means, target)
    if unexplained <= UNEXPLAINED:
        return "as a code: each of its values has one value of the target"
    if distinct >= _MIN_BANDS and unexplained <= _UNEXPLAINED_BY_BANDS:
        is_band = _falls(means, target) <= UNEXPLAINED
        return "as bands: each of its values has its own range of the target" if is_band else None
    return None


def _falls(values: Floats, target: Floats) -> float:
    """Return the share of the variance by which the target falls where the values rise."""
    rising = target[np.lexsort((target, values))]
    return share(np.maximum.accumulate(rising) - rising, target)


def _means_by_value(values: Floats, target: Floats) -> Floats:
    """Return the mean target of the rows with the same value, for each row."""
    _, codes = np.unique(values, return_inverse=True)
    return np.divide(np.bincount(codes, weights=target), np.bincount(codes))[codes]
