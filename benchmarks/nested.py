"""Nested cross-validation: one whole search in each outer fold.

The rows of the outer fold take no part in choosing the recipe. See Varma and Simon, "Bias in error
estimation when using cross-validation for model selection" (2006).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

from benchmarks.inner_search import InnerSearch
from housectl.contract.families import Family
from housectl.contract.inputs import SharedRecipe, read_inputs
from housectl.contract.parameters import Assignment, Value
from housectl.contract.recipe import derived_seed
from housectl.contract.record import Record
from housectl.experiment import Budget, Experiment, Limits, SearchSpace
from housectl.search_spaces import default_space
from housectl_trainer.data import load_dataset
from housectl_trainer.evaluation import fold_mse
from housectl_trainer.exact_sums import mean
from housectl_trainer.fitting import make_recipe
from housectl_trainer.folds import Fold, objective_folds
from housectl_trainer.subset import DataSubset

SEED = 42
REPEATS = 1
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


@dataclass(frozen=True, kw_only=True)
class OuterData:
    """All rows, divided into those of the search and those of one outer fold."""

    shared: SharedRecipe
    rows: DataSubset
    fold: Fold

    def search(self) -> InnerSearch:
        """Return searches on the rows outside the fold."""
        subset = self.rows.take(self.fold[0])
        return InnerSearch(self.shared, subset, objective_folds(subset, seed=SEED))

    def mse(self, family: Family, assignment: Assignment) -> float:
        """Fit a recipe to the rows outside the fold, and return the error on those inside."""
        return fold_mse(make_recipe(self.shared, family, assignment), self.rows, self.fold)


def load_outer_data(inputs: Path, *, repeat: int, number: int) -> OuterData:
    """Return the rows of the inputs, divided by one outer fold."""
    dataset = load_dataset(read_inputs(inputs))
    rows = _concatenate(dataset.training, dataset.holdout)
    seed = derived_seed(SEED, f"outer/{repeat}")
    folds: list[Fold] = list(KFold(OUTER_FOLDS, shuffle=True, random_state=seed).split(rows.rows))
    return OuterData(shared=dataset.shared, rows=rows, fold=folds[number])


def make_experiment(
    spaces: Mapping[Family, SearchSpace], *, trials: int, prune: bool
) -> Experiment:
    """Return the experiment that `housectl tune` would run."""
    return Experiment(
        name="quality",
        spaces=spaces,
        budget=Budget(trials=trials),
        limits=Limits(),
        workers=1,
        seed=SEED,
        prune=prune,
    )


def evaluate_fold(outer: OuterFold, inputs: Path) -> FoldResult:
    """Search on the rows outside the fold, and measure the errors on the rows inside."""
    data = load_outer_data(inputs, repeat=outer.repeat, number=outer.number)
    space = default_space(outer.family)
    start = time.process_time()
    best = data.search().run(make_experiment({outer.family: space}, trials=TRIALS, prune=False))
    seconds = time.process_time() - start
    return FoldResult(
        family=outer.family,
        repeat=outer.repeat,
        number=outer.number,
        assignment=dict(best.assignment),
        objective=best.objective,
        mse=data.mse(outer.family, best.assignment),
        enqueued=tuple(
            data.mse(outer.family, {**space.fixed, **values}) for values in space.enqueued
        ),
        linear=_linear_mse(data.rows, data.fold),
        seconds=seconds,
    )


def _concatenate(first: DataSubset, second: DataSubset) -> DataSubset:
    return DataSubset(
        rows=np.concatenate((first.rows, second.rows)),
        targets=np.concatenate((first.targets, second.targets)),
        groups=None,
    )


def _linear_mse(all_rows: DataSubset, fold: Fold) -> float:
    training, test = map(all_rows.take, fold)
    model = LinearRegression().fit(training.rows, training.targets)
    return mean((model.predict(test.rows) - test.targets) ** 2)
