"""A trainer's pool whose trials only sleep: `python -m benchmarks.sleeping_pool INPUTS SECONDS`."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from housectl.contract.families import Family
from housectl.contract.inputs import read_inputs
from housectl.contract.metrics import Metrics
from housectl.contract.parameters import Assignment
from housectl.contract.trial_output import write_trial_output
from housectl_trainer import trial_process
from housectl_trainer.data import Dataset, load_dataset
from housectl_trainer.fitting import make_recipe
from housectl_trainer.pool import Pool

_FOLDS = 5


def main() -> None:
    """Serve requests as the trainer does, but sleep instead of training."""
    vars(trial_process).update(measure_trial=_sleep, fit_trial=_fit_nothing)
    Pool(load_dataset(read_inputs(Path(sys.argv[1])))).serve()


def _sleep(
    dataset: Dataset,
    family: Family,
    assignment: Assignment,
    *,
    output: Path,
    rival: Sequence[float] | None = None,  # noqa: ARG001  # the signature of a trial
) -> None:
    time.sleep(float(sys.argv[2]))
    recipe = make_recipe(dataset.shared, family, assignment)
    numbers = [value for value in assignment.values() if not isinstance(value, str)]
    mse = 1 + sum(numbers) % 1
    metrics = Metrics(mse=mse, fold_mses=(mse,) * _FOLDS)
    write_trial_output(output, metrics=metrics, recipe=recipe)
    print(f"mse={mse!r}")


def _fit_nothing(dataset: Dataset, family: Family, assignment: Assignment, *, output: Path) -> None:
    """Fit no model."""


if __name__ == "__main__":
    main()
