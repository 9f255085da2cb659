"""Skewness of a target, and the benefit of its logarithm."""

import numpy as np

from housectl.data_checks.least_squares import cross_validate, standardise
from housectl.data_checks.sample import Floats, Sample

MIN_SKEWNESS = 2.0

_MAX_ROWS = 2_000
_ROWS_PER_COLUMN = 10


def is_heavily_skewed(target: Floats) -> bool:
    """Return True if positive values have a skewness of at least 2, and their logarithms of half.

    The skewness is the third standardised moment; that of an exponential distribution is 2.
    """
    if target.min() <= 0:
        return False
    skewness = _skewness(target / target.max())
    return skewness >= MIN_SKEWNESS and abs(_skewness(np.log(target))) <= skewness / 2


def is_logarithm_better(sample: Sample) -> bool:
    """Return True if a linear model of the logarithm has the smaller error, in the target's unit.

    A logarithm reduces the errors of small targets, but may increase the MSE of noisy ones.
    """
    target = sample.target[:_MAX_ROWS] / sample.target.max()
    columns = [values[:_MAX_ROWS] for values in sample.numbers.values()]
    columns += [
        values[:_MAX_ROWS] == code
        for values in sample.categories.values()
        for code in np.unique(values)
    ]
    matrix = np.column_stack([standardise(column) for column in columns])
    matrix = matrix[:, : len(target) // _ROWS_PER_COLUMN]
    logarithms = np.exp(np.minimum(cross_validate(matrix, np.log(target)), 0))
    plain = cross_validate(matrix, target)
    return float(np.sum((logarithms - target) ** 2)) < float(np.sum((plain - target) ** 2))


def _skewness(values: Floats) -> float:
    centred = values - values.mean()
    deviation = centred.std()
    return float(np.mean((centred / deviation) ** 3)) if deviation else 0.0
