"""Sums of numbers, rounded once, and so equal on every machine."""

import math

from housectl_trainer.subset import Floats


def mean(values: Floats) -> float:
    """Return the mean of `(n,)` values, rounded once."""
    return math.fsum(values) / len(values)


def standard_deviation(values: Floats) -> float:
    """Return the standard deviation of `(n,)` values, in their unit."""
    return math.sqrt(mean((values - mean(values)) ** 2))
