"""Mean squared errors, equal on every machine."""

import math

from housectl.contract.recipe import Recipe
from housectl.errors import AssignmentError
from housectl_trainer.exact_sums import mean
from housectl_trainer.fitting import FittedModel, predict_fold
from housectl_trainer.folds import Fold
from housectl_trainer.subset import DataSubset


def model_mse(model: FittedModel, subset: DataSubset) -> float:
    """Return a model's MSE on some rows, in the square of the target's unit."""
    return mean((model.predict(subset.rows) - subset.targets) ** 2)


def fold_mse(recipe: Recipe, subset: DataSubset, fold: Fold, *, threads: int = 1) -> float:
    """Fit the recipe to the fold's training rows, and return the MSE on its test rows."""
    predictions = predict_fold(recipe, subset, fold, threads=threads)
    return mean((predictions - subset.targets[fold[1]]) ** 2)


def mean_objective(fold_mses: tuple[float, ...]) -> float:
    """Return the objective: the mean over the folds.

    Raises:
        AssignmentError: The mean is not finite, so a search cannot compare it.
    """
    objective = math.fsum(fold_mses) / len(fold_mses)
    if not math.isfinite(objective):
        raise AssignmentError(
            f"The mean squared error of this assignment is {objective}, not a finite number.",
            hint="Narrow the ranges of the parameters in housectl.yaml.",
        )
    return objective
