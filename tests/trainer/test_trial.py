import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from housectl.contract.families import Family
from housectl.contract.inputs import RECIPE_FILE, Inputs
from housectl.contract.metrics import METRICS_FILE, Metrics, read_metric_line
from housectl.contract.recipe import Recipe
from housectl.contract.schema import Schema
from housectl.errors import AssignmentError, ExitStatus
from housectl_trainer.data import Dataset
from housectl_trainer.split import objective_folds
from housectl_trainer.trial import run_trial

RunTrainer = Callable[..., CompletedProcess[str]]
SMALL = {
    Family.RANDOM_FOREST: ("n_estimators=20", "max_features=0.4"),
    Family.XGBOOST: ("n_estimators=20", "subsample=0.8", "colsample_bytree=0.5"),
}


@pytest.mark.parametrize("family", Family)
def test_a_trial_leaves_metrics_recipe_and_model_and_prints_its_objective_once(
    run_trainer: RunTrainer, boston: Inputs, tmp_path: Path, family: Family
) -> None:
    output = tmp_path / "output"
    done = run_trainer("trial", boston, "--output", output, "--family", family, *SMALL[family])
    assert done.returncode == 0, done.stderr
    metrics = Metrics.from_json((output / METRICS_FILE).read_bytes())
    recipe = Recipe.from_json((output / RECIPE_FILE).read_bytes())
    assert [read_metric_line(line) for line in done.stdout.splitlines()] == [metrics.mse]
    assert metrics.mse == pytest.approx(np.mean(metrics.fold_mses), rel=1e-14)
    assert metrics.holdout_mse is None
    assert recipe.assignment["n_estimators"] == 20
    assert recipe.libraries["numpy"] == np.__version__
    expected = {METRICS_FILE, RECIPE_FILE, family.definition.native_file, "model.sha256"}
    assert {path.name for path in output.iterdir()} == expected
    subprocess.run(["sha256sum", "--check", "--strict", "model.sha256"], cwd=output, check=True)


def test_the_objective_is_what_a_loop_written_by_hand_gets(
    boston_dataset: Dataset, tmp_path: Path
) -> None:
    run_trial(
        boston_dataset, Family.RANDOM_FOREST, {"n_estimators": 10}, output=tmp_path / "output"
    )
    part = boston_dataset.training
    by_hand = [
        np.mean(
            (
                RandomForestRegressor(10, random_state=7)
                .fit(part.rows[training], part.targets[training])
                .predict(part.rows[testing])
                - part.targets[testing]
            )
            ** 2
        )
        for training, testing in objective_folds(part, seed=7)
    ]
    metrics = Metrics.from_json((tmp_path / "output" / METRICS_FILE).read_bytes())
    assert metrics.mse == pytest.approx(np.mean(by_hand), rel=1e-12)


@pytest.mark.parametrize("family", Family)
def test_threads_change_no_byte_of_the_output(
    boston_dataset: Dataset, tmp_path: Path, family: Family
) -> None:
    assignment = {"n_estimators": 30}
    for threads in (1, 2):
        run_trial(
            boston_dataset, family, assignment, output=tmp_path / str(threads), threads=threads
        )
    one, two = (
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in output.iterdir()}
        for output in (tmp_path / "1", tmp_path / "2")
    )
    assert one == two


def test_an_objective_that_is_not_finite_fails_loudly(
    boston_dataset: Dataset, tmp_path: Path
) -> None:
    assignment = {"n_estimators": 200, "learning_rate": 1e6}
    with pytest.raises(AssignmentError, match="not a finite number"):
        run_trial(boston_dataset, Family.XGBOOST, assignment, output=tmp_path / "output")
    assert list(tmp_path.iterdir()) == []


def test_what_only_the_library_refuses_is_explained(
    boston_dataset: Dataset, tmp_path: Path
) -> None:
    assignment = {"tree_method": "exact", "max_depth": 0}
    with pytest.raises(AssignmentError, match="exact tree method doesn't support") as refusal:
        run_trial(boston_dataset, Family.XGBOOST, assignment, output=tmp_path / "output")
    assert "\n" not in refusal.value.message


@pytest.mark.parametrize(
    ("line", "cell", "named"),
    [
        (5, "", ", line 5, column RM: the cell is empty"),
        (200, "many", ", line 200, column RM: 'many' is not a finite number"),
        (506, "nan", ", line 506, column RM: 'nan' is not a finite number"),
        (9, "1e39", "column RM has values of the size 1e+39"),
    ],
)
def test_a_wrong_cell_is_named_before_anything_is_trained(
    *,
    run_trainer: RunTrainer,
    boston_lines: list[list[str]],
    boston_schema: Schema,
    make_inputs: Callable[..., Inputs],
    tmp_path: Path,
    line: int,
    cell: str,
    named: str,
) -> None:
    lines = [list(row) for row in boston_lines]
    lines[line - 1][lines[0].index("RM")] = cell
    inputs = make_inputs(lines, boston_schema)
    done = run_trainer("trial", inputs, "--output", tmp_path / "output", "--family", "xgboost")
    assert done.returncode == ExitStatus.USAGE
    assert named in done.stderr.splitlines()[-1]
    assert done.stderr.startswith("hint: ")
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_constant_target_is_refused(
    run_trainer: RunTrainer,
    boston_lines: list[list[str]],
    boston_schema: Schema,
    make_inputs: Callable[..., Inputs],
    tmp_path: Path,
) -> None:
    header, *rows = boston_lines
    inputs = make_inputs([header, *([*row[:-1], "24"] for row in rows)], boston_schema)
    done = run_trainer("trial", inputs, "--output", tmp_path / "o", "--family", "xgboost")
    assert done.returncode == ExitStatus.USAGE
    assert "error: The target MEDV is the same in all" in done.stderr


@pytest.mark.parametrize("command", ["trial", "seal", "pool"])
def test_altered_inputs_are_refused(
    run_trainer: RunTrainer, altered_inputs: Path, tmp_path: Path, command: str
) -> None:
    more = () if command == "pool" else ("--output", tmp_path / "o", "--family", "xgboost")
    done = run_trainer(command, altered_inputs, *more)
    assert done.returncode == ExitStatus.BUNDLE
    assert "data.csv has the digest" in done.stderr.splitlines()[-1]


def test_an_output_that_cannot_be_written_is_this_machines_error(
    run_trainer: RunTrainer, boston: Inputs, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    output = tmp_path / "file" / "output"
    done = run_trainer("trial", boston, "--output", output, "--family", "xgboost", "n_estimators=2")
    assert done.returncode == ExitStatus.LOCAL_ENVIRONMENT
    assert done.stderr.splitlines()[-1].startswith(f"error: Cannot write {output}")
    assert done.stdout == ""
