"""Pruning: a trial ends before its last fold if it can hardly beat a rival. Pure.

The rival is the best trial before it. Both are measured on the same folds in the same order, so
the differences of their fold MSEs are paired.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, stdev

# Probability that a trial as good as its rival is pruned after the first fold, if the spread of the
# differences is the assumed one.
LEVEL = 0.1
# The spread of the differences before any is known, relative to that of the rival's fold MSEs, and
# the number of folds that this assumption counts for. Noisy data have a large spread of both.
_ASSUMED_SPREAD = 0.5
_ASSUMED_FOLDS = 4


def can_hardly_win(fold_mses: Sequence[float], rival: Sequence[float]) -> bool:
    """Return True if a trial's mean over all folds will hardly be below its rival's.

    The remaining differences are predicted from the measured ones, as independent draws from one
    normal distribution.

    Args:
        fold_mses: The trial's MSEs on the first folds; at least one.
        rival: The rival's MSEs on all folds.
    """
    measured, folds = len(fold_mses), len(rival)
    if measured >= folds:
        return False
    differences = _differences(fold_mses, rival)
    mean = fmean(differences)
    squares = sum((difference - mean) * (difference - mean) for difference in differences)
    assumed = _ASSUMED_SPREAD * stdev(rival)
    spread = math.sqrt(
        (_ASSUMED_FOLDS * assumed * assumed + squares) / (_ASSUMED_FOLDS + measured - 1)
    )
    error = spread * math.sqrt((folds - measured) / (folds * measured))
    return mean > NormalDist().inv_cdf(1 - LEVEL) * error


def estimated_objective(fold_mses: Sequence[float], rival: Sequence[float]) -> float:
    """Return the estimated mean over all folds of a trial that was measured on the first ones.

    It is the rival's objective plus the mean difference, because some folds are harder than others.
    """
    return fmean(rival) + fmean(_differences(fold_mses, rival))


def _differences(fold_mses: Sequence[float], rival: Sequence[float]) -> list[float]:
    return [own - other for own, other in zip(fold_mses, rival, strict=False)]
