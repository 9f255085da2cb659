"""The gate decides if a challenger may become the champion, and gives the reason. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from housectl.contract.evidence import Errors, Evidence
from housectl.contract.families import Family
from housectl.fold_difference import FoldDifference, paired_difference

# One-sided levels of significance against the champion, and against the mean and the linear model.
CHAMPION_LEVEL = 0.125
BASELINE_LEVEL = 0.20

_WORN_COMPARISONS = 10
_LARGER_SEARCH = "housectl tune --family auto --trials 100   # or add rows or features to the data"


class Gate(StrEnum):
    """Rule that a challenger must pass."""

    HOLDOUT_AND_CV = "holdout-and-cv"
    HOLDOUT = "holdout"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Outcome of a comparison; `champion_mse` and `difference` are None without a champion.

    Attributes:
        challenger_mse, champion_mse: MSEs on the held-out rows.
        difference: Challenger's minus champion's MSE over the folds.
        mean_difference, linear_difference: The same for the mean and for the linear model.
        hint: Next step after a rejection; None otherwise.
        comparisons: Number of challengers that were compared on the same held-out rows.
    """

    gate: Gate
    accepted: bool
    reason: str
    challenger_mse: float
    champion_mse: float | None = None
    difference: FoldDifference | None = None
    mean_difference: FoldDifference
    linear_difference: FoldDifference
    hint: str | None = None
    comparisons: int = 1

    @property
    def wear(self) -> str | None:
        """The wear of the held-out rows; None before the tenth comparison."""
        number = self.comparisons
        if number < _WORN_COMPARISONS:
            return None
        # Of `number` challengers and a champion that are equal, each is the best equally often.
        chance = number / (number + 1)
        return (
            f"The held-out rows are worn: {number} challengers were compared on them. If all were "
            "exactly as good as the champion, at least one would have a lower held-out MSE by "
            f"chance, with a probability of {chance:.0%}. Add rows, or change `seed` or `split` in "
            "housectl.yaml, then run housectl tune."
        )


def judge(challenger: Evidence, champion: Evidence | None, *, gate: Gate) -> Verdict:
    """Compare two recipes by their evidence on the same rows.

    The first champion must be significantly better than the mean over the folds, and a linear model
    must not be significantly better than it.

    Args:
        challenger: Evidence of the new recipe.
        champion: Evidence of the champion's recipe on the same data; None without a champion.
        gate: `HOLDOUT` requires a lower MSE on the held-out rows. `HOLDOUT_AND_CV` also requires a
            statistically significant improvement over the folds.

    Raises:
        ValueError: The two were measured on different held-out rows or folds.
    """
    if champion is None:
        return _judge_first(challenger, gate)
    if challenger.holdout_rows != champion.holdout_rows:
        raise ValueError("challenger and champion were measured on different rows")
    if challenger.recipe.gate_folds != champion.recipe.gate_folds:
        raise ValueError("challenger and champion were measured on different folds")
    return _judge_against(challenger, champion, gate)


def _judge_first(challenger: Evidence, gate: Gate) -> Verdict:
    to_mean = _to_baseline(challenger, challenger.mean)
    to_linear = _to_baseline(challenger, challenger.linear)
    problem = _problem(to_mean, to_linear)
    hint = _hint(challenger)
    return Verdict(
        gate=gate,
        accepted=problem is None,
        reason=f"{problem}; next: {hint}." if problem else _first_reason(challenger),
        challenger_mse=challenger.model.holdout_mse,
        mean_difference=to_mean,
        linear_difference=to_linear,
        hint=hint if problem else None,
    )


def _to_baseline(challenger: Evidence, baseline: Errors) -> FoldDifference:
    return paired_difference(
        challenger.model, baseline, gate=challenger.recipe.gate_folds, level=BASELINE_LEVEL
    )


def _problem(to_mean: FoldDifference, to_linear: FoldDifference) -> str | None:
    """Return the reason to reject the first challenger; None without one."""
    if not to_mean.is_significant:
        return f"The challenger does not beat the mean: {_over_folds(to_mean)}"
    if to_linear.is_significantly_worse:
        return (
            "A linear model is significantly better over the folds: the challenger's MSE is "
            f"{to_linear.mean:.3g} higher ({_threshold(to_linear)})"
        )
    return None


def _first_reason(challenger: Evidence) -> str:
    model, mean, linear = (
        errors.holdout_mse for errors in (challenger.model, challenger.mean, challenger.linear)
    )
    return (
        "There is no champion yet, and the challenger wins: over the folds it beats the mean, and "
        f"no linear model is significantly better. Its held-out MSE is {model:.4g} "
        f"(mean {mean:.4g}, linear model {linear:.4g})."
    )


def _hint(challenger: Evidence) -> str:
    """Return the next step after a rejection. The data limits a linear model, not the search."""
    is_linear = challenger.recipe.family is Family.LINEAR
    return "housectl doctor" if is_linear else "housectl tune --family auto"


def _judge_against(challenger: Evidence, champion: Evidence, gate: Gate) -> Verdict:
    difference = paired_difference(
        challenger.model,
        champion.model,
        gate=challenger.recipe.gate_folds,
        level=CHAMPION_LEVEL,
    )
    new, old = challenger.model.holdout_mse, champion.model.holdout_mse
    accepted = new < old and (difference.is_significant or gate is Gate.HOLDOUT)
    return Verdict(
        gate=gate,
        accepted=accepted,
        reason=_reason(challenger, champion, difference, gate),
        challenger_mse=new,
        champion_mse=old,
        difference=difference,
        mean_difference=_to_baseline(challenger, challenger.mean),
        linear_difference=_to_baseline(challenger, challenger.linear),
        hint=None if accepted else _LARGER_SEARCH,
    )


def _reason(
    challenger: Evidence, champion: Evidence, difference: FoldDifference, gate: Gate
) -> str:
    new, old = challenger.model.holdout_mse, champion.model.holdout_mse
    if new == old and challenger.recipe == champion.recipe:
        return "The champion stays: the challenger has the same recipe, and a tie keeps it."
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
        f"({-difference.mean:.3g}, {_threshold(difference)})"
    )


def _threshold(difference: FoldDifference) -> str:
    return f"threshold {difference.threshold:.3g} for p < {difference.level:g}"
