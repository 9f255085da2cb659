"""Nested cross-validation: the whole search once more inside of each outer fold.

No row that a figure is quoted for has taken part in choosing the recipe. See Varma and Simon, "Bias
in error estimation when using cross-validation for model selection" (2006).
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

from housectl.backends.local.sampler import suggest
from housectl.contract.inputs import SharedRecipe, read_inputs
from housectl.contract.recipe import Assignment, Family, Value, derived_seed
from housectl.contract.record import Record
from housectl.experiment import Budget, Experiment, Limits, Trial, TrialState, rank_trials
from housectl.search_spaces import default_space
from housectl_trainer.data import load
from housectl_trainer.evaluation import fold_mse, mean, mean_objective
from housectl_trainer.families import recipe_of
from housectl_trainer.split import Fold, objective_folds
from housectl_trainer.subset import DataSubset

SEED = 42
REPEATS = 2
OUTER_FOLDS = 10
TRIALS = 50


@dataclass(frozen=True, kw_only=True)
class OuterFold:
    """One of the searches: of a family, on all rows but those of one fold of one repeat."""

    family: Family
    repeat: int
    number: int


class Outcome(Record, kw_only=True):
    """What one search found, and the errors on the rows that it did not see.

    Attributes:
        objective: The best trial's, on the inner folds.
        mse: Error of the best trial's recipe, refitted on all rows but the fold's.
        enqueued: Errors of the recipes that every search tries first, without any search.
        linear: Error of least squares.
        seconds: CPU time of the search.
    """

    family: Family
    repeat: int
    number: int
    assignment: dict[str, Value]
    objective: float
    mse: float
    enqueued: tuple[float, ...]
    linear: float
    seconds: float


def outer_folds() -> list[OuterFold]:
    """Return all searches, the families in turn, so that the time left is told about rightly."""
    return [
        OuterFold(family=family, repeat=repeat, number=number)
        for repeat in range(REPEATS)
        for number in range(OUTER_FOLDS)
        for family in Family
    ]


def outcome_of(outer: OuterFold, inputs: Path) -> Outcome:
    """Search on the rows outside of the fold, then look at those inside."""
    dataset = load(read_inputs(inputs))
    whole = _together(dataset.training, dataset.holdout)
    fold = _fold(whole, outer)
    began = time.process_time()
    objective, best = _search(dataset.shared, whole.take(fold[0]), outer.family)
    seconds = time.process_time() - began

    def error(assignment: Assignment) -> float:
        return fold_mse(recipe_of(dataset.shared, outer.family, assignment), whole, fold)

    space = default_space(outer.family)
    return Outcome(
        family=outer.family,
        repeat=outer.repeat,
        number=outer.number,
        assignment=dict(best.assignment),
        objective=objective,
        mse=error(best.assignment),
        enqueued=tuple(error({**space.fixed, **first}) for first in space.enqueued),
        linear=_linear_mse(whole, fold),
        seconds=seconds,
    )


def _together(first: DataSubset, second: DataSubset) -> DataSubset:
    return DataSubset(
        rows=np.concatenate((first.rows, second.rows)),
        targets=np.concatenate((first.targets, second.targets)),
        groups=None,
    )


def _fold(whole: DataSubset, outer: OuterFold) -> Fold:
    seed = derived_seed(SEED, f"outer/{outer.repeat}")
    folds: list[Fold] = list(KFold(OUTER_FOLDS, shuffle=True, random_state=seed).split(whole.rows))
    return folds[outer.number]


def _search(shared: SharedRecipe, part: DataSubset, family: Family) -> tuple[float, Trial]:
    """Return the best trial of the search that `housectl tune` would run on these rows.

    The sampler does not look at the newest results, so that one trial after the other gives the
    list of assignments that any number of workers gives.
    """
    experiment = _experiment(family)
    folds = objective_folds(part, seed=SEED)
    trials: list[Trial] = []
    for number in range(TRIALS):
        assignment = suggest(
            experiment,
            number,
            earlier=[trial.assignment for trial in trials],
            objectives={trial.number: mse for mse, trial in rank_trials(trials)},
        )
        recipe = recipe_of(shared, family, assignment)
        fold_mses = tuple(fold_mse(recipe, part, fold) for fold in folds)
        trials.append(_finished(number, family, assignment, mse=mean_objective(fold_mses)))
    return rank_trials(trials)[0]


def _experiment(family: Family) -> Experiment:
    return Experiment(
        name="quality",
        spaces={family: default_space(family)},
        budget=Budget(trials=TRIALS),
        limits=Limits(),
        workers=1,
        seed=SEED,
    )


def _finished(number: int, family: Family, assignment: Assignment, *, mse: float) -> Trial:
    return Trial(
        number=number,
        name=f"{number:04}",
        family=family,
        assignment=assignment,
        state=TrialState.SUCCEEDED,
        mse=mse,
    )


def _linear_mse(whole: DataSubset, fold: Fold) -> float:
    learning, testing = map(whole.take, fold)
    model = LinearRegression().fit(learning.rows, learning.targets)
    return mean((model.predict(testing.rows) - testing.targets) ** 2)
