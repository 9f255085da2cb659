"""The mean difference of two models' errors over paired folds, with a corrected t-test. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

from housectl.contract.evidence import Errors
from housectl.contract.recipe import GateFolds

_INTERVAL = 0.90


@dataclass(frozen=True, kw_only=True)
class FoldDifference:
    """A model's minus another model's MSE over the gate's folds, in squared target units.

    Attributes:
        mean: Mean over the folds; negative if the model is better than the other one.
        low, high: Ends of the 90 % confidence interval.
        level: One-sided level of significance.
        threshold: Smallest difference that is statistically significant at the level.
    """

    mean: float
    low: float
    high: float
    level: float
    threshold: float

    @property
    def is_significant(self) -> bool:
        """True if the model is better, and the difference is statistically significant."""
        return self.mean < 0 and -self.mean > self.threshold

    @property
    def is_significantly_worse(self) -> bool:
        """True if the model is worse, and the difference is statistically significant."""
        return self.mean > self.threshold


def paired_difference(
    model: Errors, other: Errors, *, gate: GateFolds, level: float
) -> FoldDifference:
    """Return the mean difference over paired folds, with its corrected confidence interval.

    The test is the corrected resampled t-test of Nadeau and Bengio (Machine Learning 52, 2003),
    one-sided, p < `level`.

    Args:
        model: Errors of a model.
        other: Errors of another model, on the same folds.
        gate: The folds.
        level: One-sided level of significance.
    """
    differences = [new - old for new, old in zip(model.fold_mses, other.fold_mses, strict=True)]
    mean, degrees = fmean(differences), gate.total - 1
    error = corrected_error(differences, folds=gate.folds)
    half_width = _student_t(1 - (1 - _INTERVAL) / 2, degrees) * error
    return FoldDifference(
        mean=mean,
        low=mean - half_width,
        high=mean + half_width,
        level=level,
        threshold=_student_t(1 - level, degrees) * error,
    )


def corrected_error(differences: Sequence[float], *, folds: int) -> float:
    """Return the standard error of a mean difference, corrected for folds that share rows.

    Args:
        differences: Differences over all folds of all repeats.
        folds: Number of folds of a repeat.
    """
    return stdev(differences) * math.sqrt(1 / len(differences) + 1 / (folds - 1))


def _student_t(probability: float, degrees: float) -> float:
    """Return a quantile of Student's t, within 0.002: Abramowitz and Stegun, 26.7.5.

    Args:
        probability: Probability of a lower value.
        degrees: Degrees of freedom, at least 4.
    """
    z = NormalDist().inv_cdf(probability)
    square = z * z
    corrections = (
        1,
        (square + 1) / 4,
        (5 * square**2 + 16 * square + 3) / 96,
        (3 * square**3 + 19 * square**2 + 17 * square - 15) / 384,
    )
    return round(z * sum(term / degrees**power for power, term in enumerate(corrections)), 3)
