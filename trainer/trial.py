"""A trial: one training with one assignment."""

from pathlib import Path

from housectl.contract.bundle import NATIVE_FILES
from housectl.contract.files import new_directory, write_and_sync
from housectl.contract.inputs import RECIPE_FILE
from housectl.contract.metrics import METRICS_FILE, Metrics, metric_line
from housectl.contract.recipe import Assignment, Family
from trainer.data import Dataset
from trainer.evaluation import fold_mse, objective_of
from trainer.families import fit, recipe_of
from trainer.split import objective_folds


def run_trial(
    dataset: Dataset,
    family: Family,
    assignment: Assignment,
    *,
    output: Path,
    keep_below: float | None = None,
    threads: int = 1,
) -> None:
    """Train one assignment, write the trial's output, then print its metric line.

    Args:
        dataset: What the model learns from.
        family: The model's family.
        assignment: Its parameters.
        output: Directory that appears whole or not at all.
        keep_below: The model is fitted and written only when the objective is below this; None
            keeps it always.
        threads: How many threads train; the model does not depend on it.

    Raises:
        AssignmentError: The family or its library refuses the assignment, or the objective is not
            finite.
        MachineError: The output cannot be written.
        MemoryError: There is not enough memory.
    """
    recipe = recipe_of(dataset.shared, family, assignment)
    part = dataset.training
    folds = objective_folds(part, seed=recipe.seed)
    fold_mses = tuple(fold_mse(recipe, part, fold, threads=threads) for fold in folds)
    metrics = Metrics(mse=objective_of(fold_mses), fold_mses=fold_mses)
    files = {METRICS_FILE: metrics.to_json(), RECIPE_FILE: recipe.to_json()}
    if keep_below is None or metrics.mse < keep_below:
        files[NATIVE_FILES[family]] = fit(recipe, part, threads=threads).native()
    with new_directory(output) as directory:
        for name, data in files.items():
            write_and_sync(directory / name, data)
    print(metric_line(metrics.mse), flush=True)
