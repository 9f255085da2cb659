"""Mean squared errors, summed so that no machine rounds them otherwise."""

import math

from housectl.contract.recipe import Recipe
from housectl.errors import AssignmentError
from housectl_trainer.fitting import fit
from housectl_trainer.model_family import Model
from housectl_trainer.split import Fold
from housectl_trainer.subset import DataSubset, Floats


def mean(values: Floats) -> float:
    """Return the mean of `(n,)` values, rounded once."""
    return math.fsum(values) / len(values)


def standard_deviation(values: Floats) -> float:
    """Return the standard deviation of `(n,)` values, in their unit."""
    return math.sqrt(mean((values - mean(values)) ** 2))


def model_mse(model: Model, part: DataSubset) -> float:
    """Return a model's error on some rows, in the square of the target's unit."""
    return mean((model.predict(part.rows) - part.targets) ** 2)


def fold_mse(recipe: Recipe, part: DataSubset, fold: Fold, *, threads: int = 1) -> float:
    """Return the error on a fold's second rows of the model that learned from its first."""
    training, testing = fold
    return model_mse(fit(recipe, part.take(training), threads=threads), part.take(testing))


def mean_objective(fold_mses: tuple[float, ...]) -> float:
    """Return the mean over the folds.

    Raises:
        AssignmentError: It is not finite; no search could go on from there.
    """
    objective = math.fsum(fold_mses) / len(fold_mses)
    if not math.isfinite(objective):
        raise AssignmentError(
            f"With this assignment the mean squared error is {objective}, not a finite number.",
            hint="Narrow the ranges of the parameters in housectl.yaml.",
        )
    return objective
