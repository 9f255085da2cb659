"""Confidence intervals of rates and of differences over folds. Pure."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from scipy.stats import t as student_t

from housectl.fold_difference import corrected_error
from housectl_trainer.subset import Floats

_LEVEL = 0.95


@dataclass(frozen=True)
class Rate:
    """A rate with its confidence interval, all between 0 and 1."""

    rate: float
    low: float
    high: float


def wilson_interval(successes: int, total: int, *, level: float = _LEVEL) -> Rate:
    """Return a rate with Wilson's score interval (1927), which is valid for rates near 0 and 1."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate = successes / total
    centre = (rate + z * z / (2 * total)) / (1 + z * z / total)
    spread = z / (1 + z * z / total)
    half_width = spread * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    return Rate(rate=rate, low=max(0.0, centre - half_width), high=min(1.0, centre + half_width))


def corrected_interval(
    differences: Floats, *, folds: int, level: float = 0.9
) -> tuple[float, float, float]:
    """Return mean and ends of the interval of differences over repeated folds.

    Args:
        differences: `(repeats * folds,)` differences over the test rows.
        folds: Number of folds of a repeat.
        level: Level of the confidence interval.
    """
    error = corrected_error(differences.tolist(), folds=folds)
    half_width = float(student_t.ppf((1 + level) / 2, len(differences) - 1)) * error
    mean = float(differences.mean())
    return mean, mean - half_width, mean + half_width
