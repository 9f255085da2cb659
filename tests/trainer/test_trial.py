import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from msgspec import structs
from sklearn.ensemble import RandomForestRegressor

from housectl.contract.families import Family
from housectl.contract.inputs import RECIPE_FILE, Inputs
from housectl.contract.metrics import METRICS_FILE, Metrics, read_metric_line
from housectl.contract.recipe import Recipe
from housectl.contract.schema import Schema, Transform
from housectl.errors import AssignmentError, ExitStatus
from housectl_trainer.data import Dataset
from housectl_trainer.folds import objective_folds
from housectl_trainer.target_scale import TargetScale
from housectl_trainer.trial import run_trial
from tests.trainer.small_assignments import SMALL_ASSIGNMENTS, arguments_of

pytestmark = pytest.mark.slow

RunTrainer = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize("family", Family)
def test_trial_writes_metrics_recipe_and_model_and_prints_its_objective_once(
    run_trainer: RunTrainer, boston: Inputs, tmp_path: Path, family: Family
) -> None:
    output = tmp_path / "output"
    arguments = ("--output", output, "--family", family, *arguments_of(SMALL_ASSIGNMENTS[family]))
    process = run_trainer("trial", boston, *arguments)
    assert process.returncode == 0, process.stderr
    metrics = Metrics.from_json((output / METRICS_FILE).read_bytes())
    recipe = Recipe.from_json((output / RECIPE_FILE).read_bytes())
    assert [read_metric_line(line) for line in process.stdout.splitlines()] == [metrics.mse]
    assert metrics.mse == pytest.approx(np.mean(metrics.fold_mses), rel=1e-14)
    assert metrics.holdout_mse is None
    assert recipe.assignment == SMALL_ASSIGNMENTS[family]
    assert recipe.libraries["numpy"] == np.__version__
    expected = {METRICS_FILE, RECIPE_FILE, family.definition.native_file, "model.sha256"}
    assert {path.name for path in output.iterdir()} == expected
    subprocess.run(["sha256sum", "--check", "--strict", "model.sha256"], cwd=output, check=True)


def test_objective_equals_a_hand_written_loop(boston_dataset: Dataset, tmp_path: Path) -> None:
    run_trial(
        boston_dataset, Family.RANDOM_FOREST, {"n_estimators": 10}, output=tmp_path / "output"
    )
    training = boston_dataset.training
    fold_mses = []
    for train, test in objective_folds(training, seed=7):
        scale = TargetScale.of(training.targets[train])
        forest = RandomForestRegressor(10, random_state=7)
        forest.fit(training.rows[train], scale.standardise(training.targets[train]))
        predictions = scale.restore(forest.predict(training.rows[test]))
        fold_mses.append(np.mean((predictions - training.targets[test]) ** 2))
    metrics = Metrics.from_json((tmp_path / "output" / METRICS_FILE).read_bytes())
    assert metrics.mse == pytest.approx(np.mean(fold_mses), rel=1e-12)


def test_trial_has_as_many_errors_as_folds(boston_dataset: Dataset, tmp_path: Path) -> None:
    shared = structs.replace(boston_dataset.shared, folds=1)
    output = tmp_path / "output"
    run_trial(replace(boston_dataset, shared=shared), Family.LINEAR, {}, output=output)
    metrics = Metrics.from_json((output / METRICS_FILE).read_bytes())
    recipe = Recipe.from_json((output / RECIPE_FILE).read_bytes())
    assert metrics.fold_mses == (metrics.mse,)
    assert recipe.folds == 1
    run_trial(boston_dataset, Family.LINEAR, {}, output=tmp_path / "five")
    five = Metrics.from_json((tmp_path / "five" / METRICS_FILE).read_bytes())
    assert five.fold_mses[0] == metrics.mse


@pytest.mark.parametrize("family", Family)
def test_number_of_threads_does_not_change_the_output(
    boston_dataset: Dataset, tmp_path: Path, family: Family
) -> None:
    for threads in (1, 2):
        output = tmp_path / str(threads)
        run_trial(boston_dataset, family, SMALL_ASSIGNMENTS[family], output=output, threads=threads)
    one, two = (
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in output.iterdir()}
        for output in (tmp_path / "1", tmp_path / "2")
    )
    assert one == two


@pytest.mark.parametrize(
    ("metrics", "cause"),
    [
        (None, "No such file"),
        (b"{}", "Object missing required field"),
        (Metrics(mse=1.0, fold_mses=(1.0,), pruned_after=1).to_json(), "pruned trial"),
    ],
)
def test_rival_that_cannot_be_read_fails_the_trial(
    run_trainer: RunTrainer, boston: Inputs, tmp_path: Path, metrics: bytes | None, cause: str
) -> None:
    if metrics is not None:
        (tmp_path / "boston-0003").mkdir()
        (tmp_path / "boston-0003" / METRICS_FILE).write_bytes(metrics)
    process = run_trainer(
        "trial",
        boston,
        *("--output", tmp_path / "boston-0012", "--family", "xgboost", "--rival", "boston-0003"),
    )
    assert process.returncode == ExitStatus.BUNDLE
    assert "error: The output of boston-0003 is invalid: " in process.stderr
    assert cause in process.stderr.splitlines()[-1]
    assert not (tmp_path / "boston-0012").exists()


def test_trial_ignores_the_arguments_of_other_families(
    run_trainer: RunTrainer, boston: Inputs, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    arguments = ("random-forest.max_features=none", "xgboost.max_depth=2", "n_estimators=3")
    process = run_trainer(
        "trial", boston, "--output", output, "--family", "xgboost", "--rival", "none", *arguments
    )
    assert process.returncode == 0, process.stderr
    recipe = Recipe.from_json((output / RECIPE_FILE).read_bytes())
    assert recipe.assignment == {"max_depth": 2, "n_estimators": 3}


def test_objective_that_is_not_finite_fails(boston_dataset: Dataset, tmp_path: Path) -> None:
    assignment = {"n_estimators": 200, "learning_rate": 1e6}
    with pytest.raises(AssignmentError, match="not a finite number"):
        run_trial(boston_dataset, Family.XGBOOST, assignment, output=tmp_path / "output")
    assert list(tmp_path.iterdir()) == []


def test_assignment_that_only_the_library_rejects_is_explained(
    boston_dataset: Dataset, tmp_path: Path
) -> None:
    assignment = {"tree_method": "exact", "max_depth": 0}
    with pytest.raises(AssignmentError, match="exact tree method doesn't support") as error:
        run_trial(boston_dataset, Family.XGBOOST, assignment, output=tmp_path / "output")
    assert "\n" not in error.value.message


@pytest.mark.parametrize(
    ("line", "cell", "problem"),
    [
        (5, "", ", line 5, column RM: the cell is empty"),
        (200, "many", ", line 200, column RM: 'many' is not a finite number"),
        (506, "nan", ", line 506, column RM: 'nan' is not a finite number"),
        (9, "1e39", "column RM has values up to 1e+39"),
    ],
)
def test_invalid_cell_is_named_before_training(
    *,
    run_trainer: RunTrainer,
    boston_lines: list[list[str]],
    boston_schema: Schema,
    make_inputs: Callable[..., Inputs],
    tmp_path: Path,
    line: int,
    cell: str,
    problem: str,
) -> None:
    lines = [list(row) for row in boston_lines]
    lines[line - 1][lines[0].index("RM")] = cell
    inputs = make_inputs(lines, boston_schema)
    process = run_trainer("trial", inputs, "--output", tmp_path / "output", "--family", "xgboost")
    assert process.returncode == ExitStatus.USAGE
    assert problem in process.stderr.splitlines()[-1]
    assert process.stderr.startswith("hint: ")
    assert process.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_constant_target_is_rejected(
    run_trainer: RunTrainer,
    boston_lines: list[list[str]],
    boston_schema: Schema,
    make_inputs: Callable[..., Inputs],
    tmp_path: Path,
) -> None:
    header, *rows = boston_lines
    inputs = make_inputs([header, *([*row[:-1], "24"] for row in rows)], boston_schema)
    process = run_trainer("trial", inputs, "--output", tmp_path / "o", "--family", "xgboost")
    assert process.returncode == ExitStatus.USAGE
    assert "error: The target MEDV has one value in all" in process.stderr


def test_target_without_a_logarithm_is_rejected(
    run_trainer: RunTrainer,
    boston_lines: list[list[str]],
    boston_schema: Schema,
    make_inputs: Callable[..., Inputs],
    tmp_path: Path,
) -> None:
    target = structs.replace(boston_schema.target, transform=Transform.LOG)
    schema = structs.replace(boston_schema, target=target)
    header, first, *rows = boston_lines
    inputs = make_inputs([header, [*first[:-1], "0"], *rows], schema)
    process = run_trainer("trial", inputs, "--output", tmp_path / "o", "--family", "xgboost")
    assert process.returncode == ExitStatus.USAGE
    assert "line 2, column MEDV: 0 has no logarithm." in process.stderr
    assert "remove `transform: log` from `target:`" in process.stderr


@pytest.mark.parametrize("command", ["trial", "seal", "pool"])
def test_altered_inputs_are_rejected(
    run_trainer: RunTrainer, altered_inputs: Path, tmp_path: Path, command: str
) -> None:
    arguments = () if command == "pool" else ("--output", tmp_path / "o", "--family", "xgboost")
    process = run_trainer(command, altered_inputs, *arguments)
    assert process.returncode == ExitStatus.BUNDLE
    assert "data.csv has the digest" in process.stderr.splitlines()[-1]


def test_output_that_cannot_be_written_is_a_local_environment_error(
    run_trainer: RunTrainer, boston: Inputs, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    output = tmp_path / "file" / "output"
    process = run_trainer(
        "trial", boston, "--output", output, "--family", "xgboost", "n_estimators=2"
    )
    assert process.returncode == ExitStatus.LOCAL_ENVIRONMENT
    assert process.stderr.splitlines()[-1].startswith(f"error: Cannot write {output}")
    assert process.stdout == ""
