import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from housectl.contract.bundle import CARD_FILE, Bundle, read_bundle
from housectl.contract.evidence import EVIDENCE_FILE, Evidence
from housectl.contract.families import Family
from housectl.contract.files import file_digest
from housectl.contract.inputs import Inputs
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.scorer import open_bundle
from housectl.errors import ExitStatus
from housectl_trainer.data import Dataset
from housectl_trainer.evidence import evidence_of
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.subset import DataSubset
from tests.strace import inject_fault

pytestmark = pytest.mark.slow

RunTrainer = Callable[..., CompletedProcess[str]]
ASSIGNMENTS = {
    Family.RANDOM_FOREST: ("n_estimators=20", "max_features=0.4"),
    Family.XGBOOST: ("n_estimators=20", "subsample=0.8"),
}


@pytest.fixture(scope="module", params=list(Family))
def family(request: pytest.FixtureRequest) -> Family:
    return Family(request.param)


@pytest.fixture(scope="module")
def trial(
    family: Family,
    boston: Inputs,
    run_trainer: RunTrainer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    output = tmp_path_factory.mktemp("trial") / "output"
    done = run_trainer(
        "trial", boston, "--output", output, "--family", family, *ASSIGNMENTS[family]
    )
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="module")
def sealed(
    family: Family,
    boston: Inputs,
    trial: Path,
    run_trainer: RunTrainer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    output = tmp_path_factory.mktemp("sealed") / "output"
    sha256 = file_digest(trial / family.definition.native_file)
    arguments = ("--output", output, "--family", family, "--model-sha256", sha256)
    origin = ("--experiment", "boston-1", "--trial", "boston-1-3", "--backend", "local")
    done = run_trainer("seal", boston, *arguments, *origin, *ASSIGNMENTS[family])
    assert done.returncode == 0, done.stderr
    assert "parity: " in done.stderr
    return output


@pytest.fixture(scope="module")
def bundle(sealed: Path) -> Bundle:
    return read_bundle(sealed / "bundle")


@pytest.fixture(scope="module")
def evidence(sealed: Path) -> Evidence:
    return Evidence.from_json((sealed / EVIDENCE_FILE).read_bytes())


def test_the_bundle_is_whole_and_repeats_its_golden_rows(bundle: Bundle) -> None:
    scorer = open_bundle(bundle)
    assert len(bundle.golden.rows) >= 20
    one_by_one = [scorer.predict([row.row])[0] for row in bundle.golden.rows]
    expected = [row.prediction for row in bundle.golden.rows]
    assert one_by_one == pytest.approx(expected, abs=bundle.golden.tolerance)
    assert bundle.record.provenance.trial == "boston-1-3"


def test_the_trial_and_the_bundle_tell_one_story(
    trial: Path, bundle: Bundle, family: Family
) -> None:
    metrics = Metrics.from_json((trial / METRICS_FILE).read_bytes())
    assert bundle.metrics.mse == metrics.mse
    assert bundle.metrics.fold_mses == metrics.fold_mses
    native_file = family.definition.native_file
    assert bundle.content[native_file] == (trial / native_file).read_bytes()


def test_golden_rows_lie_in_the_data_at_thresholds_and_out_of_range(
    bundle: Bundle, boston_dataset: Dataset
) -> None:
    rows = np.array([row.row for row in bundle.golden.rows])
    data = np.concatenate([boston_dataset.training.rows, boston_dataset.holdout.rows])
    real = {tuple(row) for row in data.tolist()}
    out_of_range = ((rows < data.min(axis=0)) | (rows > data.max(axis=0))).all(axis=1)
    assert sum(tuple(row) in real for row in rows.tolist()) >= 12
    assert out_of_range.sum() == 4


def test_the_holdout_error_is_that_of_the_trained_model(
    bundle: Bundle, evidence: Evidence, boston_dataset: Dataset
) -> None:
    model = fit(bundle.record.recipe, boston_dataset.training)
    heldout = boston_dataset.holdout
    by_hand = np.mean((model.predict(heldout.rows) - heldout.targets) ** 2)
    assert bundle.holdout_mse == pytest.approx(by_hand, rel=1e-12)
    assert evidence.model.holdout_mse == bundle.holdout_mse


def test_the_evidence_holds_fifty_errors_of_the_model_and_of_two_baselines(
    evidence: Evidence, bundle: Bundle, boston_dataset: Dataset
) -> None:
    models = (evidence.model, evidence.linear, evidence.mean)
    assert [len(errors.fold_mses) for errors in models] == [50, 50, 50]
    model, linear, mean = (np.mean(errors.fold_mses) for errors in models)
    assert model < linear < mean
    assert evidence.recipe == bundle.record.recipe
    assert evidence.holdout_rows == boston_dataset.holdout_digest


def test_the_card_says_what_is_recorded_and_nothing_of_its_origin(bundle: Bundle) -> None:
    card = bundle.content[CARD_FILE].decode()
    recipe = bundle.record.recipe
    said = [
        *(f"`{name}`" for name in recipe.features),
        *(f"{name} {version}" for name, version in recipe.libraries.items()),
        *(f"| `{name}` | {value} |" for name, value in recipe.assignment.items()),
        "`B`: it is excluded",
        recipe.data,
        f"`holdout_mse` {bundle.holdout_mse:.4g}",
        f"{bundle.golden.tolerance:.3g}",
        "interpolating between neighbours",
    ]
    assert [text for text in said if text not in card] == []
    origin = bundle.record.provenance
    assert "boston-1" not in card
    assert origin.platform not in card


def test_another_run_with_other_threads_gives_the_same_digest(
    bundle: Bundle, boston: Inputs, family: Family, tmp_path: Path
) -> None:
    program = [sys.executable, "-m", "housectl_trainer", "seal", "--inputs", boston.path]
    arguments = ["--output", tmp_path / "again", "--family", family, *ASSIGNMENTS[family]]
    environment = {**os.environ, "LOKY_MAX_CPU_COUNT": "1", "PYTHONHASHSEED": "5"}
    subprocess.run(
        list(map(str, [*program, *arguments])), check=True, env=environment, capture_output=True
    )
    again = read_bundle(tmp_path / "again" / "bundle")
    assert again.digest == bundle.digest
    assert again.record.provenance != bundle.record.provenance


def test_another_model_than_the_trials_is_not_sealed(
    run_trainer: RunTrainer, boston: Inputs, tmp_path: Path
) -> None:
    arguments = ("--output", tmp_path / "output", "--family", "xgboost", "n_estimators=2")
    done = run_trainer("seal", boston, "--model-sha256", "0" * 64, *arguments)
    assert done.returncode == ExitStatus.BUNDLE
    assert "0" * 64 in done.stderr.splitlines()[-1]
    assert "the same recipe gave another model here" in done.stderr
    assert list(tmp_path.iterdir()) == []


SMALL = ("--family", "xgboost", "--experiment", "one", "--trial", "one-a", "n_estimators=2")
STALE = {
    "another recipe": ("--family", "xgboost", "--experiment", "one", "n_estimators=3"),
    "another trial": ("--family", "xgboost", "--experiment", "one", "--trial", "b", SMALL[-1]),
}


@pytest.fixture(scope="module")
def small(
    run_trainer: RunTrainer, boston: Inputs, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    output = tmp_path_factory.mktemp("small") / "output"
    assert run_trainer("seal", boston, "--output", output, *SMALL).returncode == 0
    return output


def assert_like(output: Path, small: Path) -> None:
    found, expected = read_bundle(output / "bundle"), read_bundle(small / "bundle")
    assert found.digest == expected.digest
    assert found.record.provenance.origin == expected.record.provenance.origin
    assert (output / EVIDENCE_FILE).read_bytes() == (small / EVIDENCE_FILE).read_bytes()
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_what_another_attempt_has_written_stays(
    run_trainer: RunTrainer, boston: Inputs, small: Path, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    shutil.copytree(small, output)
    before = output.stat().st_ino
    assert run_trainer("seal", boston, "--output", output, *SMALL).returncode == 0
    assert output.stat().st_ino == before
    assert_like(output, small)


@pytest.mark.parametrize("name", ["bundle/model.onnx", "bundle/bundle.json", EVIDENCE_FILE])
def test_a_damaged_output_is_replaced(
    run_trainer: RunTrainer, boston: Inputs, small: Path, tmp_path: Path, name: str
) -> None:
    output = tmp_path / "output"
    shutil.copytree(small, output)
    (output / name).write_bytes(b"{")
    assert run_trainer("seal", boston, "--output", output, *SMALL).returncode == 0
    assert_like(output, small)


@pytest.mark.parametrize("arguments", STALE.values(), ids=STALE)
@pytest.mark.strace
def test_another_tasks_output_is_replaced_also_after_a_kill_at_any_rename(
    *,
    run_trainer: RunTrainer,
    boston: Inputs,
    small: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
) -> None:
    stale = tmp_path / "stale" / "output"
    assert run_trainer("seal", boston, "--output", stale, *arguments).returncode == 0
    statuses = []
    for number in count(1):
        output = tmp_path / str(number) / "output"
        shutil.copytree(stale, output)
        statuses.append(killed_at(number, boston, "--output", output, *SMALL))
        if statuses[-1] == 0:
            break
        assert run_trainer("seal", boston, "--output", output, *SMALL).returncode == 0
        assert_like(output, small)
    assert_like(output, small)
    assert statuses == [-signal.SIGKILL, -signal.SIGKILL, 0]


def killed_at(rename: int, inputs: Inputs, *arguments: str | Path) -> int:
    """Seal, with a kill at the rename of this number; return the exit status."""
    strace = inject_fault("rename", f"signal=KILL:when={rename}", follow_children=False)
    program = [
        sys.executable,
        "-m",
        "housectl_trainer",
        "seal",
        "--inputs",
        inputs.path,
        *arguments,
    ]
    return subprocess.run([*strace, *program], check=False, capture_output=True).returncode


def test_two_attempts_at_once_replace_what_another_task_has_left(
    run_trainer: RunTrainer, boston: Inputs, small: Path, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    arguments = ("--output", output, *STALE["another recipe"])
    assert run_trainer("seal", boston, *arguments).returncode == 0
    program = [sys.executable, "-m", "housectl_trainer", "seal", "--inputs", boston.path]
    attempts = [subprocess.Popen([*program, "--output", output, *SMALL]) for _ in range(2)]
    assert [attempt.wait() for attempt in attempts] == [0, 0]
    assert_like(output, small)


def test_what_the_library_refuses_is_told_by_the_processes_that_train(
    run_trainer: RunTrainer, boston: Inputs, tmp_path: Path
) -> None:
    arguments = ("--output", tmp_path / "output", "--family", "xgboost")
    done = run_trainer("seal", boston, *arguments, "tree_method=exact", "max_depth=0")
    assert done.returncode == ExitStatus.USAGE
    assert "exact tree method doesn't support" in done.stderr.splitlines()[-1]


def test_a_linear_model_bears_columns_that_are_constant_or_alike(boston_dataset: Dataset) -> None:
    def widened(part: DataSubset) -> DataSubset:
        one = np.full(len(part), 0.1)
        return DataSubset(
            rows=np.column_stack([part.rows, one, part.rows[:, 0] * 3, part.rows[:, 1] * 1e9]),
            targets=part.targets,
            groups=part.groups,
        )

    recipe = make_recipe(boston_dataset.shared, Family.XGBOOST, {"n_estimators": 1})
    model = fit(recipe, boston_dataset.training)
    plain = evidence_of(recipe, boston_dataset, gate=(), model=model).linear
    wide = Dataset(
        shared=boston_dataset.shared,
        training=widened(boston_dataset.training),
        holdout=widened(boston_dataset.holdout),
        holdout_digest=boston_dataset.holdout_digest,
    )
    model = fit(recipe, wide.training)
    assert evidence_of(recipe, wide, gate=(), model=model).linear.fold_mses == pytest.approx(
        plain.fold_mses, rel=1e-6
    )
