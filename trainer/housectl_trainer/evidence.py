"""Gathering of evidence: many fits, divided among forked processes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from housectl.contract.evidence import Errors, Evidence
from housectl.contract.recipe import Recipe
from housectl_trainer.data import Dataset
from housectl_trainer.evaluation import fold_mse, mean, model_mse
from housectl_trainer.model_family import Model
from housectl_trainer.parent_watchdog import die_with_parent
from housectl_trainer.progress import report_progress
from housectl_trainer.split import Fold, gate_folds, objective_folds
from housectl_trainer.subset import DataSubset


@dataclass(frozen=True)
class FoldErrors:
    """A model's errors on the training part, in the square of the target's unit."""

    objective: tuple[float, ...]
    gate: tuple[float, ...]


def fold_errors(recipe: Recipe, part: DataSubset, *, processes: int) -> FoldErrors:
    """Return a recipe's errors on the objective's folds and on the gate's.

    Must be called before this process trains anything: a fork after XGBoost ran two threads
    deadlocks.

    Raises:
        AssignmentError: The library refuses the assignment.
        MemoryError: There is not enough memory.
    """
    objective = objective_folds(part, seed=recipe.seed)
    folds = [*objective, *gate_folds(part, seed=recipe.seed)]
    errors = tuple(
        report_progress(_fold_mses(recipe, part, folds, processes), total=len(folds), what="fold")
    )
    return FoldErrors(objective=errors[: len(objective)], gate=errors[len(objective) :])


def evidence_of(
    recipe: Recipe, dataset: Dataset, *, gate: tuple[float, ...], model: Model
) -> Evidence:
    """Return a model's errors beside those of two baselines on the same rows."""
    training, heldout = dataset.training, dataset.holdout
    folds = gate_folds(training, seed=recipe.seed)
    pairs = [(training.take(learning), training.take(testing)) for learning, testing in folds]
    return Evidence(
        recipe=recipe,
        holdout_rows=dataset.holdout_digest,
        model=Errors(holdout_mse=model_mse(model, heldout), fold_mses=gate),
        mean=Errors(
            holdout_mse=_mean_mse(training, heldout),
            fold_mses=tuple(_mean_mse(learning, testing) for learning, testing in pairs),
        ),
        linear=Errors(
            holdout_mse=_linear_mse(training, heldout),
            fold_mses=tuple(_linear_mse(learning, testing) for learning, testing in pairs),
        ),
    )


def _fold_mses(
    recipe: Recipe, part: DataSubset, folds: Sequence[Fold], processes: int
) -> Iterator[float]:
    with ProcessPoolExecutor(
        processes,
        mp_context=get_context("fork"),
        initializer=_start,
        initargs=(recipe, part, folds),
    ) as executor:
        try:
            yield from executor.map(_fold_mse, range(len(folds)))
        except BrokenProcessPool as error:
            raise MemoryError("a process that trained folds was killed") from error


class _Work:
    """What a forked process works on; it comes with the fork and is never sent."""

    recipe: Recipe
    part: DataSubset
    folds: Sequence[Fold]


def _start(recipe: Recipe, part: DataSubset, folds: Sequence[Fold]) -> None:
    die_with_parent()
    _Work.recipe, _Work.part, _Work.folds = recipe, part, folds


def _fold_mse(number: int) -> float:
    return fold_mse(_Work.recipe, _Work.part, _Work.folds[number])


def _mean_mse(learning: DataSubset, testing: DataSubset) -> float:
    return mean((testing.targets - mean(learning.targets)) ** 2)


def _linear_mse(learning: DataSubset, testing: DataSubset) -> float:
    """Return the error of least squares; columns that are constant in `learning` do not count."""
    from sklearn.linear_model import LinearRegression

    centre = learning.rows.mean(axis=0)
    constant = np.ptp(learning.rows, axis=0) == 0
    scale = np.where(constant, np.inf, learning.rows.std(axis=0))
    model = LinearRegression().fit((learning.rows - centre) / scale, learning.targets)
    return mean((model.predict((testing.rows - centre) / scale) - testing.targets) ** 2)
