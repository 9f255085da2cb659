"""Sums of numbers, rounded once, and so equal on every machine."""

import math

from housectl_trainer.subset import Floats


def mean(values: Floats) -> float:
    """Return the mean of `(n,)` values, rounded once."""
    return math.fsum(values) / len(values)


def variance(values: Floats) -> float:
    """Return the variance of `(n,)` values, in the square of their unit."""
    return mean((values - mean(values)) ** 2)


def standard_deviation(values: Floats) -> float:
    """Return the standard deviation of `(n,)` values, in their unit."""
    return math.sqrt(variance(values))
