"""The gate: whether a challenger may become the champion, and why. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, stdev

from housectl.contract.evidence import Errors, Evidence
from housectl.contract.recipe import GATE_FOLDS, GATE_REPEATS

# Quantiles of Student's t with 49 degrees of freedom: one-sided p = .20, and a 90 % interval.
_T_GATE = 0.849
_T_INTERVAL = 1.677


class Gate(StrEnum):
    """The rule that a challenger has to pass."""

    HOLDOUT_AND_CV = "holdout-and-cv"
    HOLDOUT = "holdout"


@dataclass(frozen=True, kw_only=True)
class FoldDifference:
    """Challenger's minus champion's MSE over the gate's folds, in the square of the target's unit.

    Attributes:
        mean: Mean over the folds; negative when the challenger is better.
        low, high: Ends of the 90 % interval.
        threshold: How far below zero the mean has to be to count as real.
    """

    mean: float
    low: float
    high: float
    threshold: float

    @property
    def is_significant(self) -> bool:
        """Whether the challenger is better by more than chance explains."""
        return self.mean < 0 and -self.mean > self.threshold


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The outcome of comparing; `champion_mse` and `difference` are None without a champion."""

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
        gate: `TWO_KEYS` asks for a lower MSE on the held-out rows, and for a difference over the
            folds that passes Nadeau and Bengio's corrected resampled t test (Machine Learning 52,
            2003) with one-sided p < .20. `LOWER_MSE` asks for the first alone.

    Raises:
        ValueError: The two were not measured on the same held-out rows.
    """
    if champion is None:
        return _judge_first(challenger, gate)
    if challenger.holdout_rows != champion.holdout_rows:
        raise ValueError("the evidence of challenger and champion is about different rows")
    return _judge_against(challenger, champion, gate)


def paired_difference(challenger: Errors, champion: Errors) -> FoldDifference:
    """Return the mean difference over paired folds, with its corrected interval."""
    pairs = zip(challenger.fold_mses, champion.fold_mses, strict=True)
    values = [new - old for new, old in pairs]
    mean = fmean(values)
    error = stdev(values) * math.sqrt(1 / (GATE_FOLDS * GATE_REPEATS) + 1 / (GATE_FOLDS - 1))
    return FoldDifference(
        mean=mean,
        low=mean - _T_INTERVAL * error,
        high=mean + _T_INTERVAL * error,
        threshold=_T_GATE * error,
    )


def _judge_first(challenger: Evidence, gate: Gate) -> Verdict:
    problems = [*_lost_to("the mean", challenger.model, challenger.mean)]
    problems += _lost_to("a linear model", challenger.model, challenger.linear)
    mse = challenger.model.holdout_mse
    reason = (
        f"The challenger does not beat {' or '.join(problems)}."
        if problems
        else f"There is no champion yet, and the challenger's held-out MSE of {mse:.4g} beats the "
        f"mean ({challenger.mean.holdout_mse:.4g}) and a linear model "
        f"({challenger.linear.holdout_mse:.4g})."
    )
    return Verdict(gate=gate, accepted=not problems, reason=reason, challenger_mse=mse)


def _lost_to(name: str, model: Errors, baseline: Errors) -> Iterator[str]:
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
    direction = "lower" if difference.mean < 0 else "higher"
    return (
        f"over the folds it is {abs(difference.mean):.3g} {direction} on average, "
        f"where chance alone explains {difference.threshold:.3g}"
    )
