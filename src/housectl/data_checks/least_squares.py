"""Least squares on one half of the rows, with predictions for the other half."""

import numpy as np

from housectl.data_checks.sample import Floats


def standardise(column: Floats) -> Floats:
    """Return a column with mean 0 and deviation 1; a missing value is the mean."""
    values = np.asarray(column, dtype=np.float64)
    missing = np.isnan(values)
    present = values[~missing]
    if present.size == 0 or np.ptp(present) == 0:
        return np.zeros(len(values))
    scaled = values / np.abs(present).max()
    centred = np.where(missing, 0.0, scaled - scaled[~missing].mean())
    deviation = float(centred.std())
    return np.divide(centred, deviation or 1.0, dtype=np.float64)


def cross_validate(matrix: Floats, target: Floats) -> Floats:
    """Return predictions for each half of the rows by least squares on the other half."""
    first = np.arange(len(target)) % 2 == 0
    predictions = np.empty_like(target)
    for test in (first, ~first):
        predictions[test] = _with_constant(matrix[test]) @ _fit(matrix[~test], target[~test])
    return predictions


def weights(matrix: Floats, target: Floats) -> Floats:
    """Return the weight of each column by least squares on all rows."""
    return _fit(matrix, target)[:-1]


def _fit(matrix: Floats, target: Floats) -> Floats:
    return np.linalg.lstsq(_with_constant(matrix), target, rcond=None)[0].astype(np.float64)


def _with_constant(matrix: Floats) -> Floats:
    return np.column_stack([matrix, np.ones(len(matrix))])
