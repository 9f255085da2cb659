"""The search of nested cross-validation: the trials of `housectl tune`, one after the other.

The sampler ignores the newest results. Trials in sequence therefore have the same assignments as
trials of several workers.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from housectl.contract.families import Family
from housectl.contract.inputs import SharedRecipe
from housectl.contract.parameters import Assignment
from housectl.contract.pruning import can_hardly_win, estimated_objective
from housectl.contract.recipe import Recipe
from housectl.experiment import Experiment
from housectl.search.sampler import rival_of, suggest
from housectl_trainer.evaluation import fold_mse, mean_objective
from housectl_trainer.fitting import make_recipe
from housectl_trainer.folds import Fold
from housectl_trainer.subset import DataSubset


@dataclass(frozen=True, kw_only=True)
class SearchOutcome:
    """Best trial of a search, and its cost.

    Attributes:
        seconds: CPU time of all fits of the search.
        pruned: Number of pruned trials.
    """

    family: Family
    assignment: Assignment
    objective: float
    seconds: float
    pruned: int


@dataclass(frozen=True)
class _Fit:
    mse: float
    seconds: float


@dataclass(frozen=True)
class InnerSearch:
    """Searches on the same rows; a fit that two of them need is made once."""

    shared: SharedRecipe
    subset: DataSubset
    folds: Sequence[Fold]
    _fits: dict[tuple[str, int], _Fit] = field(default_factory=dict)

    def run(self, experiment: Experiment) -> SearchOutcome:
        """Return the outcome of a search."""
        assignments: list[Assignment] = []
        objectives: dict[int, float] = {}
        fits: list[list[_Fit]] = []
        for number in range(experiment.budget.trials):
            assignment = suggest(experiment, number, earlier=assignments, objectives=objectives)
            rival = rival_of(number, objectives, lag=experiment.lag) if experiment.prune else None
            recipe = make_recipe(self.shared, experiment.family_at_turn(number), assignment)
            rival_mses = None if rival is None else _mses(fits[rival])
            measured = self._cross_validate(recipe, rival_mses)
            assignments.append(assignment)
            fits.append(measured)
            objectives[number] = (
                estimated_objective(_mses(measured), rival_mses)
                if rival_mses is not None and len(measured) < len(self.folds)
                else mean_objective(tuple(_mses(measured)))
            )
        best = min(objectives, key=lambda number: (objectives[number], number))
        return SearchOutcome(
            family=experiment.family_at_turn(best),
            assignment=assignments[best],
            objective=objectives[best],
            seconds=sum(fit.seconds for measured in fits for fit in measured),
            pruned=sum(len(measured) < len(self.folds) for measured in fits),
        )

    def _cross_validate(self, recipe: Recipe, rival: Sequence[float] | None) -> list[_Fit]:
        """Measure a recipe on one fold after the other, until it can hardly beat its rival."""
        measured: list[_Fit] = []
        for index in range(len(self.folds)):
            measured.append(self._fit(recipe, index))
            if rival is not None and can_hardly_win(_mses(measured), rival):
                break
        return measured

    def _fit(self, recipe: Recipe, index: int) -> _Fit:
        key = recipe.digest, index
        if key not in self._fits:
            start = time.process_time()
            mse = fold_mse(recipe, self.subset, self.folds[index])
            self._fits[key] = _Fit(mse, time.process_time() - start)
        return self._fits[key]


def _mses(fits: Sequence[_Fit]) -> list[float]:
    return [fit.mse for fit in fits]
