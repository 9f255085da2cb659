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

from housectl.contract.bundle import Bundle, read_bundle
from housectl.contract.bundle_record import CARD_FILE
from housectl.contract.contributions import open_explainer
from housectl.contract.evidence import EVIDENCE_FILE, Evidence
from housectl.contract.families import Family
from housectl.contract.files import file_digest
from housectl.contract.golden import GoldenSource
from housectl.contract.inputs import Inputs
from housectl.contract.metrics import METRICS_FILE, Metrics
from housectl.contract.scorer import open_bundle
from housectl.errors import ExitStatus
from housectl_trainer.data import Dataset
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.measure_evidence import fold_errors, measure_evidence
from housectl_trainer.sealing.reference import make_reference
from tests.strace import inject_fault
from tests.trainer.small_assignments import SMALL_ASSIGNMENTS, arguments_of

pytestmark = pytest.mark.slow

RunTrainer = Callable[..., CompletedProcess[str]]


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
    process = run_trainer(
        "trial",
        boston,
        "--output",
        output,
        "--family",
        family,
        *arguments_of(SMALL_ASSIGNMENTS[family]),
    )
    assert process.returncode == 0, process.stderr
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
    process = run_trainer(
        "seal", boston, *arguments, *origin, *arguments_of(SMALL_ASSIGNMENTS[family])
    )
    assert process.returncode == 0, process.stderr
    assert "parity: " in process.stderr
    return output


@pytest.fixture(scope="module")
def bundle(sealed: Path) -> Bundle:
    return read_bundle(sealed / "bundle")


@pytest.fixture(scope="module")
def evidence(sealed: Path) -> Evidence:
    return Evidence.from_json((sealed / EVIDENCE_FILE).read_bytes())


def test_bundle_is_complete_and_repeats_its_golden_rows(bundle: Bundle) -> None:
    scorer = open_bundle(bundle)
    assert len(bundle.golden.rows) >= 20
    predictions = [scorer.predict([row.row])[0] for row in bundle.golden.rows]
    expected = [row.prediction for row in bundle.golden.rows]
    assert predictions == pytest.approx(expected, abs=bundle.golden.tolerance)
    assert bundle.record.provenance.trial == "boston-1-3"


def test_bundle_has_the_trials_metrics_and_model(
    trial: Path, bundle: Bundle, family: Family
) -> None:
    metrics = Metrics.from_json((trial / METRICS_FILE).read_bytes())
    assert bundle.metrics.mse == metrics.mse
    assert bundle.metrics.fold_mses == metrics.fold_mses
    native_file = family.definition.native_file
    assert bundle.content[native_file] == (trial / native_file).read_bytes()


def test_golden_rows_include_data_rows_and_rows_out_of_range(
    bundle: Bundle, boston_dataset: Dataset
) -> None:
    rows = np.array([row.row for row in bundle.golden.rows])
    data = boston_dataset.all_rows
    data_rows = {tuple(row) for row in data.tolist()}
    out_of_range = ((rows < data.min(axis=0)) | (rows > data.max(axis=0))).all(axis=1)
    assert sum(tuple(row) in data_rows for row in rows.tolist()) >= 12
    assert out_of_range.sum() == 4


def test_holdout_error_is_the_trained_models(
    bundle: Bundle, evidence: Evidence, boston_dataset: Dataset
) -> None:
    model = fit(bundle.record.recipe, boston_dataset.training)
    holdout = boston_dataset.holdout
    expected = np.mean((model.predict(holdout.rows) - holdout.targets) ** 2)
    assert bundle.holdout_mse == pytest.approx(expected, rel=1e-12)
    assert evidence.model.holdout_mse == bundle.holdout_mse


def test_evidence_has_fifty_errors_of_the_model_and_of_two_baselines(
    evidence: Evidence, bundle: Bundle, boston_dataset: Dataset
) -> None:
    models = (evidence.model, evidence.linear, evidence.mean)
    assert [len(errors.fold_mses) for errors in models] == [50, 50, 50]
    model, linear, mean = (np.mean(errors.fold_mses) for errors in models)
    assert max(model, linear) < mean
    assert model < linear or evidence.recipe.family is Family.LINEAR
    assert evidence.recipe == bundle.record.recipe
    assert evidence.holdout_rows == boston_dataset.holdout_digest


def test_bundle_has_the_reference_of_its_training_rows(
    bundle: Bundle, boston_dataset: Dataset
) -> None:
    assert bundle.record.schema_version == 2
    assert bundle.reference == make_reference(boston_dataset, GoldenSource.DATA)


def test_contributions_of_the_bundle_add_up_to_its_predictions(
    bundle: Bundle, boston_dataset: Dataset
) -> None:
    explainer = open_explainer(bundle)
    total = explainer.baseline + explainer.contributions(boston_dataset.values).sum(axis=1)
    assert total == pytest.approx(open_bundle(bundle).predict(boston_dataset.values), rel=1e-12)


def test_card_has_the_recorded_facts_and_no_provenance(bundle: Bundle) -> None:
    card = bundle.content[CARD_FILE].decode()
    recipe = bundle.record.recipe
    facts = [
        *(f"`{name}`" for name in recipe.features),
        *(f"{name} {version}" for name, version in recipe.libraries.items()),
        *(f"| `{name}` | {value} |" for name, value in recipe.assignment.items()),
        "`B`: it is excluded",
        recipe.data,
        f"`holdout_mse` {bundle.holdout_mse:.4g}",
        f"{bundle.golden.tolerance:.3g}",
        "interpolating between neighbours",
        recipe.family.definition.extrapolation,
    ]
    assert [text for text in facts if text not in card] == []
    origin = bundle.record.provenance
    assert "boston-1" not in card
    assert origin.platform not in card


def test_run_with_other_threads_gives_the_same_digest(
    bundle: Bundle, boston: Inputs, family: Family, tmp_path: Path
) -> None:
    program = [sys.executable, "-m", "housectl_trainer", "seal", "--inputs", boston.path]
    arguments = [
        "--output",
        tmp_path / "again",
        "--family",
        family,
        *arguments_of(SMALL_ASSIGNMENTS[family]),
    ]
    environment = {**os.environ, "LOKY_MAX_CPU_COUNT": "1", "PYTHONHASHSEED": "5"}
    subprocess.run(
        list(map(str, [*program, *arguments])), check=True, env=environment, capture_output=True
    )
    again = read_bundle(tmp_path / "again" / "bundle")
    assert again.digest == bundle.digest
    assert again.record.provenance != bundle.record.provenance


def test_model_that_differs_from_the_trials_is_not_sealed(
    run_trainer: RunTrainer, boston: Inputs, tmp_path: Path
) -> None:
    arguments = ("--output", tmp_path / "output", "--family", "xgboost", "n_estimators=2")
    process = run_trainer("seal", boston, "--model-sha256", "0" * 64, *arguments)
    assert process.returncode == ExitStatus.BUNDLE
    assert "0" * 64 in process.stderr.splitlines()[-1]
    assert "the same recipe gave another model here" in process.stderr
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


def assert_equal_output(output: Path, small: Path) -> None:
    actual, expected = read_bundle(output / "bundle"), read_bundle(small / "bundle")
    assert actual.digest == expected.digest
    assert actual.record.provenance.origin == expected.record.provenance.origin
    assert (output / EVIDENCE_FILE).read_bytes() == (small / EVIDENCE_FILE).read_bytes()
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_complete_output_of_an_earlier_attempt_is_kept(
    run_trainer: RunTrainer, boston: Inputs, small: Path, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    shutil.copytree(small, output)
    before = output.stat().st_ino
    assert run_trainer("seal", boston, "--output", output, *SMALL).returncode == 0
    assert output.stat().st_ino == before
    assert_equal_output(output, small)


@pytest.mark.parametrize("name", ["bundle/model.onnx", "bundle/bundle.json", EVIDENCE_FILE])
def test_damaged_output_is_replaced(
    run_trainer: RunTrainer, boston: Inputs, small: Path, tmp_path: Path, name: str
) -> None:
    output = tmp_path / "output"
    shutil.copytree(small, output)
    (output / name).write_bytes(b"{")
    assert run_trainer("seal", boston, "--output", output, *SMALL).returncode == 0
    assert_equal_output(output, small)


@pytest.mark.parametrize("arguments", STALE.values(), ids=STALE)
@pytest.mark.strace
def test_output_of_another_task_is_replaced_after_a_kill_at_any_rename(
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
        statuses.append(seal_with_kill(number, boston, "--output", output, *SMALL))
        if statuses[-1] == 0:
            break
        assert run_trainer("seal", boston, "--output", output, *SMALL).returncode == 0
        assert_equal_output(output, small)
    assert_equal_output(output, small)
    assert statuses == [-signal.SIGKILL, -signal.SIGKILL, 0]


def seal_with_kill(rename: int, inputs: Inputs, *arguments: str | Path) -> int:
    """Seal, kill the process at its n-th rename, and return the exit status."""
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


def test_two_simultaneous_attempts_replace_the_output_of_another_task(
    run_trainer: RunTrainer, boston: Inputs, small: Path, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    arguments = ("--output", output, *STALE["another recipe"])
    assert run_trainer("seal", boston, *arguments).returncode == 0
    program = [sys.executable, "-m", "housectl_trainer", "seal", "--inputs", boston.path]
    attempts = [subprocess.Popen([*program, "--output", output, *SMALL]) for _ in range(2)]
    assert [attempt.wait() for attempt in attempts] == [0, 0]
    assert_equal_output(output, small)


def test_librarys_error_in_a_fold_process_is_reported(
    run_trainer: RunTrainer, boston: Inputs, tmp_path: Path
) -> None:
    arguments = ("--output", tmp_path / "output", "--family", "xgboost")
    process = run_trainer("seal", boston, *arguments, "tree_method=exact", "max_depth=0")
    assert process.returncode == ExitStatus.USAGE
    assert "exact tree method doesn't support" in process.stderr.splitlines()[-1]


def test_linear_baseline_is_the_linear_family_with_its_defaults(boston_dataset: Dataset) -> None:
    defaults = Family.LINEAR.definition.library_defaults
    recipe = make_recipe(boston_dataset.shared, Family.LINEAR, defaults)
    gate = fold_errors(recipe, boston_dataset.training, processes=1).gate
    model = fit(recipe, boston_dataset.training)
    evidence = measure_evidence(recipe, boston_dataset, gate=gate, model=model)
    assert evidence.linear == evidence.model
