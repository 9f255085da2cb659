"""Measurement of the evidence: many fits, divided among forked processes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

import msgspec

from housectl.contract.evidence import Errors, Evidence
from housectl.contract.families import Family
from housectl.contract.recipe import Recipe
from housectl_trainer.data import Dataset
from housectl_trainer.evaluation import fold_mse
from housectl_trainer.exact_sums import mean, variance
from housectl_trainer.fitting import FittedModel, fit
from housectl_trainer.folds import Fold, gate_folds, objective_folds
from housectl_trainer.model_family import load_family
from housectl_trainer.parent_watchdog import die_with_parent
from housectl_trainer.progress import report_progress
from housectl_trainer.subset import DataSubset, Floats


@dataclass(frozen=True)
class FoldErrors:
    """MSEs of one recipe on folds of the training rows."""

    objective: tuple[float, ...]
    gate: tuple[float, ...]


def fold_errors(recipe: Recipe, subset: DataSubset, *, processes: int) -> FoldErrors:
    """Return a recipe's errors on the objective's folds and on the gate's folds.

    Call it before this process trains anything: a fork deadlocks after XGBoost ran two threads.

    Raises:
        AssignmentError: The library rejects the assignment.
        MemoryError: There is not enough memory.
    """
    objective = objective_folds(subset, seed=recipe.seed, folds=recipe.objective_folds)
    folds = [*objective, *gate_folds(subset, seed=recipe.seed, gate=recipe.gate_folds)]
    # The processes inherit the imported library; each would need a second to import it.
    load_family(recipe.family)
    errors = tuple(
        report_progress(
            _fold_mses(recipe, subset, folds, processes),
            total=len(folds),
            what="fit",
            processes=processes,
        )
    )
    return FoldErrors(objective=errors[: len(objective)], gate=errors[len(objective) :])


def measure_evidence(
    recipe: Recipe, dataset: Dataset, *, gate: tuple[float, ...], model: FittedModel
) -> Evidence:
    """Return the errors of a model and of two baselines on the same rows."""
    training, holdout = dataset.training, dataset.holdout
    folds = gate_folds(training, seed=recipe.seed, gate=recipe.gate_folds)
    linear = _linear_recipe(recipe)
    return Evidence(
        recipe=recipe,
        holdout_rows=dataset.holdout_digest,
        holdout_variance=variance(holdout.targets),
        model=_errors(model.predict(holdout.rows), holdout, fold_mses=gate),
        mean=_errors(
            mean(training.targets),
            holdout,
            fold_mses=tuple(_mean_mse(training.targets, fold) for fold in folds),
        ),
        linear=_errors(
            fit(linear, training).predict(holdout.rows),
            holdout,
            fold_mses=tuple(fold_mse(linear, training, fold) for fold in folds),
        ),
    )


def _errors(
    predictions: Floats | float, holdout: DataSubset, *, fold_mses: tuple[float, ...]
) -> Errors:
    residuals = predictions - holdout.targets
    return Errors(
        holdout_mse=mean(residuals**2), holdout_mae=mean(abs(residuals)), fold_mses=fold_mses
    )


def _fold_mses(
    recipe: Recipe, subset: DataSubset, folds: Sequence[Fold], processes: int
) -> Iterator[float]:
    with ProcessPoolExecutor(
        processes,
        mp_context=get_context("fork"),
        initializer=_init_process,
        initargs=(recipe, subset, folds),
    ) as executor:
        try:
            yield from executor.map(_fold_mse, range(len(folds)))
        except BrokenProcessPool as error:
            raise MemoryError("a process that trains folds was killed") from error


class _Work:
    """The work of a forked process, which inherits it and never receives it through a pipe."""

    recipe: Recipe
    subset: DataSubset
    folds: Sequence[Fold]


def _init_process(recipe: Recipe, subset: DataSubset, folds: Sequence[Fold]) -> None:
    die_with_parent()
    _Work.recipe, _Work.subset, _Work.folds = recipe, subset, folds


def _fold_mse(number: int) -> float:
    return fold_mse(_Work.recipe, _Work.subset, _Work.folds[number])


def _mean_mse(targets: Floats, fold: Fold) -> float:
    training, testing = fold
    return mean((targets[testing] - mean(targets[training])) ** 2)


def _linear_recipe(recipe: Recipe) -> Recipe:
    """Return the recipe of the linear family's defaults, for the same rows and columns."""
    defaults = Family.LINEAR.definition.library_defaults
    return msgspec.structs.replace(recipe, family=Family.LINEAR, assignment=dict(defaults))
