"""The gate decides if a challenger may become the champion, and gives the reason. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist, fmean, stdev

from housectl.contract.evidence import Errors, Evidence
from housectl.contract.recipe import GATE_FOLDS, GATE_REPEATS

_SIGNIFICANCE = 0.20  # one-sided
_INTERVAL = 0.90


class Gate(StrEnum):
    """Rule that a challenger must pass."""

    HOLDOUT_AND_CV = "holdout-and-cv"
    HOLDOUT = "holdout"


@dataclass(frozen=True, kw_only=True)
class FoldDifference:
    """Challenger's minus champion's MSE over the gate's folds, in squared target units.

    Attributes:
        mean: Mean over the folds; negative if the challenger is better.
        low, high: Ends of the 90 % confidence interval.
        threshold: Smallest statistically significant improvement.
    """

    mean: float
    low: float
    high: float
    threshold: float

    @property
    def is_significant(self) -> bool:
        """True if the challenger's improvement is statistically significant."""
        return self.mean < 0 and -self.mean > self.threshold


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Outcome of a comparison; `champion_mse` and `difference` are None without a champion."""

    gate: Gate
    accepted: bool
    reason: str
    challenger_mse: float
    champion_mse: float | None = None
    difference: FoldDifference | None = None


def judge(challenger: Evidence, champion: Evidence | None, *, gate: Gate) -> Verdict:
    """Compare two recipes by their evidence on the same rows.

    Args:
        challenger: Evidence of the new recipe.
        champion: Evidence of the champion's recipe on the same data; None without a champion.
        gate: `HOLDOUT` requires a lower MSE on the held-out rows. `HOLDOUT_AND_CV` also requires a
            statistically significant improvement over the folds. The test is the corrected
            resampled t-test of Nadeau and Bengio (Machine Learning 52, 2003), one-sided, p < .20.

    Raises:
        ValueError: The two were measured on different held-out rows.
    """
    if champion is None:
        return _judge_first(challenger, gate)
    if challenger.holdout_rows != champion.holdout_rows:
        raise ValueError("challenger and champion were measured on different rows")
    return _judge_against(challenger, champion, gate)


def paired_difference(challenger: Errors, champion: Errors) -> FoldDifference:
    """Return the mean difference over paired folds, with its corrected confidence interval."""
    pairs = zip(challenger.fold_mses, champion.fold_mses, strict=True)
    differences = [new - old for new, old in pairs]
    folds = GATE_FOLDS * GATE_REPEATS
    mean = fmean(differences)
    error = stdev(differences) * math.sqrt(1 / folds + 1 / (GATE_FOLDS - 1))
    half_width = _student_t(1 - (1 - _INTERVAL) / 2, folds - 1) * error
    return FoldDifference(
        mean=mean,
        low=mean - half_width,
        high=mean + half_width,
        threshold=_student_t(1 - _SIGNIFICANCE, folds - 1) * error,
    )


def _student_t(probability: float, degrees: float) -> float:
    """Return a quantile of Student's t, to three decimals: Abramowitz and Stegun, 26.7.5."""
    z = NormalDist().inv_cdf(probability)
    square = z * z
    corrections = (
        1,
        (square + 1) / 4,
        (5 * square**2 + 16 * square + 3) / 96,
        (3 * square**3 + 19 * square**2 + 17 * square - 15) / 384,
    )
    return round(z * sum(term / degrees**power for power, term in enumerate(corrections)), 3)


def _judge_first(challenger: Evidence, gate: Gate) -> Verdict:
    problems = [
        *_defeats("the mean", challenger.model, challenger.mean),
        *_defeats("a linear model", challenger.model, challenger.linear),
    ]
    mse = challenger.model.holdout_mse
    reason = (
        f"The challenger does not beat {' or '.join(problems)}."
        if problems
        else "There is no champion yet, and the challenger wins: its held-out MSE of "
        f"{mse:.4g} beats the mean ({challenger.mean.holdout_mse:.4g}) and a linear model "
        f"({challenger.linear.holdout_mse:.4g})."
    )
    return Verdict(gate=gate, accepted=not problems, reason=reason, challenger_mse=mse)


def _defeats(name: str, model: Errors, baseline: Errors) -> Iterator[str]:
    """Yield each comparison that the model loses to a baseline."""
    if not model.holdout_mse < baseline.holdout_mse:
        yield f"{name} on the held-out rows ({model.holdout_mse:.4g} to {baseline.holdout_mse:.4g})"
    new, old = fmean(model.fold_mses), fmean(baseline.fold_mses)
    if not new < old:
        yield f"{name} over the folds ({new:.4g} to {old:.4g})"


def _judge_against(challenger: Evidence, champion: Evidence, gate: Gate) -> Verdict:
    difference = paired_difference(challenger.model, champion.model)
    new, old = challenger.model.holdout_mse, champion.model.holdout_mse
    lower = new < old
    return Verdict(
        gate=gate,
        accepted=lower and (difference.is_significant or gate is Gate.HOLDOUT),
        reason=_reason(new, old, difference, gate),
        challenger_mse=new,
        champion_mse=old,
        difference=difference,
    )


def _reason(new: float, old: float, difference: FoldDifference, gate: Gate) -> str:
    if new == old:
        return f"The champion stays: both have a held-out MSE of {new:.4g}, and a tie keeps it."
    if not new < old:
        return (
            f"The champion stays: its held-out MSE of {old:.4g} is lower than "
            f"the challenger's {new:.4g}."
        )
    lower = f"the challenger's held-out MSE of {new:.4g} is lower than the champion's {old:.4g}"
    if gate is Gate.HOLDOUT:
        return f"The challenger wins: {lower}."
    if difference.is_significant:
        return f"The challenger wins: {lower}, and {_over_folds(difference)}."
    return f"The champion stays: {lower}, but {_over_folds(difference)}."


def _over_folds(difference: FoldDifference) -> str:
    if not difference.mean < 0:
        return f"over the folds its mean MSE is {difference.mean:.3g} higher"
    negation = "" if difference.is_significant else "not "
    return (
        f"the improvement over the folds is {negation}statistically significant "
        f"({-difference.mean:.3g}, threshold {difference.threshold:.3g})"
    )
