"""A trial: one training with one assignment, at once or in two steps."""

from collections.abc import Mapping
from pathlib import Path

from housectl.contract.bundle import NATIVE_FILES
from housectl.contract.checksum import with_checksum
from housectl.contract.files import new_directory, write_durably
from housectl.contract.inputs import RECIPE_FILE
from housectl.contract.metrics import METRICS_FILE, Metrics, metric_line
from housectl.contract.recipe import Assignment, Family, Recipe
from trainer.data import Dataset
from trainer.evaluation import fold_mse, objective_of
from trainer.families import fit, recipe_of
from trainer.part import Part
from trainer.split import objective_folds


def run_trial(
    dataset: Dataset, family: Family, assignment: Assignment, *, output: Path, threads: int = 1
) -> None:
    """Train one assignment, write the trial's output, then print its metric line.

    Args:
        dataset: What the model learns from.
        family: The model's family.
        assignment: Its parameters.
        output: Directory that appears whole or not at all.
        threads: How many threads train; the model does not depend on it.

    Raises:
        AssignmentError: The family or its library refuses the assignment, or the objective is not
            finite.
        MachineError: The output cannot be written.
        MemoryError: There is not enough memory.
    """
    recipe = recipe_of(dataset.shared, family, assignment)
    metrics = _measured(recipe, dataset.training, threads=threads)
    model = fit(recipe, dataset.training, threads=threads).native()
    _write(output, recipe, metrics, with_checksum(NATIVE_FILES[family], model))


def measure_trial(
    dataset: Dataset, family: Family, assignment: Assignment, *, output: Path
) -> None:
    """Do as `run_trial`, but leave the model out.

    Raises:
        As `run_trial`.
    """
    recipe = recipe_of(dataset.shared, family, assignment)
    _write(output, recipe, _measured(recipe, dataset.training), {})


def fit_trial(dataset: Dataset, family: Family, assignment: Assignment, *, output: Path) -> None:
    """Add the model, and last its checksum, to the output of a trial that was measured.

    Raises:
        As `run_trial`.
    """
    recipe = recipe_of(dataset.shared, family, assignment)
    model = fit(recipe, dataset.training).native()
    for name, data in with_checksum(NATIVE_FILES[family], model).items():
        write_durably(output / name, data)


def _measured(recipe: Recipe, part: Part, *, threads: int = 1) -> Metrics:
    folds = objective_folds(part, seed=recipe.seed)
    fold_mses = tuple(fold_mse(recipe, part, fold, threads=threads) for fold in folds)
    return Metrics(mse=objective_of(fold_mses), fold_mses=fold_mses)


def _write(output: Path, recipe: Recipe, metrics: Metrics, model: Mapping[str, bytes]) -> None:
    files = {METRICS_FILE: metrics.to_json(), RECIPE_FILE: recipe.to_json(), **model}
    with new_directory(output) as directory:
        for name, data in files.items():
            (directory / name).write_bytes(data)
    print(metric_line(metrics.mse), flush=True)
