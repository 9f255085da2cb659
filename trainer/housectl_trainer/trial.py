"""A trial: the training of one assignment, at once or in two steps."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import UNSET

from housectl.contract.families import Family
from housectl.contract.metrics import Metrics, metric_lines
from housectl.contract.parameters import Assignment
from housectl.contract.pruning import can_hardly_win, estimated_objective
from housectl.contract.recipe import Recipe
from housectl.contract.trial_output import add_model, write_trial_output
from housectl_trainer.data import TrainingData
from housectl_trainer.evaluation import fold_mse, mean_objective
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.folds import objective_folds
from housectl_trainer.subset import DataSubset


def run_trial(
    data: TrainingData,
    family: Family,
    assignment: Assignment,
    *,
    output: Path,
    rival: Sequence[float] | None = None,
    threads: int = 1,
) -> None:
    """Train one assignment, write the trial's output, then print its metric lines.

    A pruned trial's output has no model.

    Args:
        data: The data of the experiment.
        family: The model's family.
        assignment: The model's parameters.
        output: Directory to write atomically.
        rival: Fold MSEs of the trial to beat; without them, the trial is not pruned.
        threads: Number of training threads; the model does not depend on it.

    Raises:
        AssignmentError: The family or its library rejects the assignment, or the objective is not
            finite.
        LocalEnvironmentError: The output cannot be written.
        MemoryError: There is not enough memory.
    """
    recipe = make_recipe(data.shared, family, assignment)
    metrics = _cross_validate(recipe, data.training, rival, threads=threads)
    model = None
    if metrics.pruned_after is UNSET:
        model = fit(recipe, data.training, threads=threads).native()
    _write(output, recipe, metrics, model)


def measure_trial(
    data: TrainingData,
    family: Family,
    assignment: Assignment,
    *,
    output: Path,
    rival: Sequence[float] | None = None,
) -> None:
    """Cross-validate one assignment as `run_trial` does, but write no model.

    Raises:
        As `run_trial`.
    """
    recipe = make_recipe(data.shared, family, assignment)
    _write(output, recipe, _cross_validate(recipe, data.training, rival))


def fit_trial(data: TrainingData, family: Family, assignment: Assignment, *, output: Path) -> None:
    """Add the model, and last its checksum, to the output of a measured trial.

    Raises:
        As `run_trial`.
    """
    recipe = make_recipe(data.shared, family, assignment)
    add_model(output, family, fit(recipe, data.training).native())


def _cross_validate(
    recipe: Recipe, subset: DataSubset, rival: Sequence[float] | None, *, threads: int = 1
) -> Metrics:
    """Measure a recipe on one fold after the other, until it can hardly beat its rival."""
    fold_mses: tuple[float, ...] = ()
    for fold in objective_folds(subset, seed=recipe.seed, folds=recipe.objective_folds):
        fold_mses += (fold_mse(recipe, subset, fold, threads=threads),)
        if rival is not None and can_hardly_win(fold_mses, rival):
            estimate = estimated_objective(fold_mses, rival)
            return Metrics(mse=estimate, fold_mses=fold_mses, pruned_after=len(fold_mses))
    return Metrics(mse=mean_objective(fold_mses), fold_mses=fold_mses)


def _write(output: Path, recipe: Recipe, metrics: Metrics, model: bytes | None = None) -> None:
    write_trial_output(output, metrics=metrics, recipe=recipe, model=model)
    print(metric_lines(metrics), flush=True)
