"""Nested cross-validation: one whole search in each outer fold.

The rows of the outer fold take no part in choosing the recipe. See Varma and Simon, "Bias in error
estimation when using cross-validation for model selection" (2006).
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

from housectl.contract.families import Family
from housectl.contract.inputs import SharedRecipe, read_inputs
from housectl.contract.parameters import Assignment, Value
from housectl.contract.recipe import derived_seed
from housectl.contract.record import Record
from housectl.experiment import Budget, Experiment, Limits, Trial, TrialState, rank_trials
from housectl.search.sampler import suggest
from housectl.search_spaces import default_space
from housectl_trainer.data import load_dataset
from housectl_trainer.evaluation import fold_mse, mean_objective
from housectl_trainer.exact_sums import mean
from housectl_trainer.fitting import make_recipe
from housectl_trainer.folds import Fold, objective_folds
from housectl_trainer.subset import DataSubset

SEED = 42
REPEATS = 2
OUTER_FOLDS = 10
TRIALS = 50


@dataclass(frozen=True, kw_only=True)
class OuterFold:
    """The search for one family on all rows except those of one fold of one repeat."""

    family: Family
    repeat: int
    number: int


class FoldResult(Record, kw_only=True):
    """Best trial of one search, and errors on the rows of the outer fold.

    Attributes:
        objective: Objective of the best trial, on the inner folds.
        mse: Error of the best trial's recipe, refitted on all rows outside the fold.
        enqueued: Errors of the recipes that every search tries first.
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
    """Return all searches, with alternating families for a good estimate of the remaining time."""
    return [
        OuterFold(family=family, repeat=repeat, number=number)
        for repeat in range(REPEATS)
        for number in range(OUTER_FOLDS)
        for family in Family
    ]


def evaluate_fold(outer: OuterFold, inputs: Path) -> FoldResult:
    """Search on the rows outside the fold, and measure the errors on the rows inside."""
    dataset = load_dataset(read_inputs(inputs))
    all_rows = _concatenate(dataset.training, dataset.holdout)
    fold = _fold(all_rows, outer)
    start = time.process_time()
    objective, best = _search(dataset.shared, all_rows.take(fold[0]), outer.family)
    seconds = time.process_time() - start

    def error(assignment: Assignment) -> float:
        return fold_mse(make_recipe(dataset.shared, outer.family, assignment), all_rows, fold)

    space = default_space(outer.family)
    return FoldResult(
        family=outer.family,
        repeat=outer.repeat,
        number=outer.number,
        assignment=dict(best.assignment),
        objective=objective,
        mse=error(best.assignment),
        enqueued=tuple(error({**space.fixed, **values}) for values in space.enqueued),
        linear=_linear_mse(all_rows, fold),
        seconds=seconds,
    )


def _concatenate(first: DataSubset, second: DataSubset) -> DataSubset:
    return DataSubset(
        rows=np.concatenate((first.rows, second.rows)),
        targets=np.concatenate((first.targets, second.targets)),
        groups=None,
    )


def _fold(all_rows: DataSubset, outer: OuterFold) -> Fold:
    seed = derived_seed(SEED, f"outer/{outer.repeat}")
    folds: list[Fold] = list(
        KFold(OUTER_FOLDS, shuffle=True, random_state=seed).split(all_rows.rows)
    )
    return folds[outer.number]


def _search(shared: SharedRecipe, subset: DataSubset, family: Family) -> tuple[float, Trial]:
    """Return objective and best trial of the search that `housectl tune` would run on the subset.

    The sampler ignores the newest results. Trials in sequence therefore have the same assignments
    as trials of several workers.
    """
    experiment = _experiment(family)
    folds = objective_folds(subset, seed=SEED)
    trials: list[Trial] = []
    for number in range(TRIALS):
        assignment = suggest(
            experiment,
            number,
            earlier=[trial.assignment for trial in trials],
            objectives={trial.number: mse for mse, trial in rank_trials(trials)},
        )
        recipe = make_recipe(shared, family, assignment)
        fold_mses = tuple(fold_mse(recipe, subset, fold) for fold in folds)
        trials.append(_finished_trial(number, family, assignment, mse=mean_objective(fold_mses)))
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


def _finished_trial(number: int, family: Family, assignment: Assignment, *, mse: float) -> Trial:
    return Trial(
        number=number,
        name=f"{number:04}",
        family=family,
        assignment=assignment,
        state=TrialState.SUCCEEDED,
        mse=mse,
    )


def _linear_mse(all_rows: DataSubset, fold: Fold) -> float:
    training, test = map(all_rows.take, fold)
    model = LinearRegression().fit(training.rows, training.targets)
    return mean((model.predict(test.rows) - test.targets) ** 2)
