"""Evidence is measured again before a promotion, and forged evidence is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from housectl.contract.bundle_record import BUNDLE_FILE, BundleRecord
from housectl.contract.files import file_digest
from housectl.contract.metrics import METRICS_FILE
from housectl.errors import ExitStatus
from housectl.store.layout import bundle_key, challenger_key, entry_key, evidence_file_key
from housectl.store.local import LocalStore
from tools.project_directory import CommandOutput, ProjectDirectory

pytestmark = pytest.mark.slow

Edit = Callable[[dict[str, object]], object]


@pytest.fixture
def project(project_with_challenger: ProjectDirectory, tmp_path: Path) -> ProjectDirectory:
    return project_with_challenger.copy(tmp_path / "boston")


def edit_json(path: Path, edit: Edit) -> None:
    content: dict[str, object] = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def set_model_error(mse: float) -> Edit:
    return lambda evidence: evidence["model"].update(holdout_mse=mse)  # type: ignore[attr-defined]


def evidence_files(project: ProjectDirectory) -> list[Path]:
    """Return the evidence of the newest challenger: under its digest, and under its key."""
    store = LocalStore(project.store)
    digest = store.newest_challenger().bundle
    evidence = store.evidence(digest)
    assert evidence is not None
    return [project.store / evidence_file_key(name) for name in (digest, evidence.key)]


def assert_refused(output: CommandOutput, project: ProjectDirectory, message: str) -> None:
    assert output.status == ExitStatus.BUNDLE
    assert message in output.err
    assert "hint:" in output.err
    assert "Traceback" not in output.err
    assert len(LocalStore(project.store).history()) == 1


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (set_model_error(0.5), "its held-out MSE is 0.5, the model's is"),
        (
            lambda evidence: evidence["model"].update(holdout_mae=0.5),  # type: ignore[attr-defined]
            "its held-out MAE is 0.5, the model's is",
        ),
        (
            lambda evidence: evidence.update(holdout_variance=900.0),
            "its held-out target variance is 900.0",
        ),
        (lambda evidence: evidence.update(holdout_rows="0" * 64), "other held-out rows"),
        (lambda evidence: evidence["recipe"].update(seed=9), "is of another recipe"),
        (lambda evidence: evidence["linear"].update(fold_mses=[1.0]), "1 fold MSEs for 50 folds"),
        (lambda evidence: evidence["mean"].update(holdout_mse=-1.0), "is invalid"),
    ],
    ids=["error", "mae", "variance", "rows", "recipe", "length", "negative"],
)
def test_edited_evidence_is_refused(project: ProjectDirectory, edit: Edit, message: str) -> None:
    for path in evidence_files(project):
        edit_json(path, edit)
    for command in ("compare", "promote"):
        assert_refused(project.run(command), project, message)


def test_evidence_that_makes_the_champion_look_bad_is_refused(project: ProjectDirectory) -> None:
    store = LocalStore(project.store)
    edit_json(
        project.store / evidence_file_key(store.require_champion().bundle), set_model_error(900.0)
    )
    assert_refused(project.run("promote"), project, "its held-out MSE is 900.0")


def test_evidence_of_another_bundle_is_refused(project: ProjectDirectory) -> None:
    own = evidence_files(project)[0]
    champion = LocalStore(project.store).require_champion().bundle
    shutil.copy(project.store / evidence_file_key(champion), own)
    assert_refused(project.run("promote"), project, "it is of another recipe or bundle")


def test_forged_metrics_with_recomputed_digests_are_refused(project: ProjectDirectory) -> None:
    store = LocalStore(project.store)
    genuine = store.newest_challenger().bundle
    forged = project.store / bundle_key("f" * 64)
    shutil.copytree(project.store / bundle_key(genuine), forged)
    edit_json(forged / METRICS_FILE, lambda metrics: metrics.update(holdout_mse=0.5))
    new_digest = file_digest(forged / METRICS_FILE)
    edit_json(
        forged / BUNDLE_FILE,
        lambda record: record["files"].update({METRICS_FILE: new_digest}),  # type: ignore[attr-defined]
    )
    digest = BundleRecord.from_json((forged / BUNDLE_FILE).read_bytes()).digest
    forged.rename(project.store / bundle_key(digest))
    edit_json(
        project.store / challenger_key(store.newest_challenger().number),
        lambda challenger: challenger.update(bundle=digest),
    )
    assert_refused(project.run("promote"), project, "metrics.json has the held-out MSE 0.5")


def to_format_1(evidence: dict[str, object]) -> None:
    evidence["schema_version"] = 1
    del evidence["holdout_variance"]
    for name in ("model", "mean", "linear"):
        del evidence[name]["holdout_mae"]  # type: ignore[attr-defined]


def test_evidence_of_format_1_is_compared_without_mae(project: ProjectDirectory) -> None:
    for path in evidence_files(project):
        edit_json(path, to_format_1)
    output = project.run_ok("promote", "--json").json
    mse = output["challenger_holdout_mse"]
    assert output["challenger_errors"] == {
        "mse": mse,
        "rmse": pytest.approx(float(str(mse)) ** 0.5),
        "mae": None,
        "r2": None,
    }
    assert output["champion_errors"]["mae"] > 0  # type: ignore[index]


def test_evidence_of_a_newer_format_is_refused(project: ProjectDirectory) -> None:
    for path in evidence_files(project):
        edit_json(path, lambda evidence: evidence.update(schema_version=3))
    output = project.run("promote")
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "has format 3" in output.err


def test_removed_evidence_is_measured_again(project: ProjectDirectory) -> None:
    for path in evidence_files(project):
        path.unlink()
    project.run_ok("promote")


def test_hint_for_wrong_evidence_repairs_the_store(project: ProjectDirectory) -> None:
    for path in evidence_files(project):
        edit_json(path, set_model_error(0.5))
    hint = str(project.run("promote", "--json").json["error"]["hint"])  # type: ignore[index]
    for word in hint.partition("#")[0].split():
        if word.startswith("/"):
            Path(word).unlink()
    project.run_ok("promote")


def test_promotion_on_another_machine_writes_inputs_from_the_same_data(
    project: ProjectDirectory,
) -> None:
    inputs = project.path / ".housectl" / "inputs"
    before = {path.name for path in inputs.iterdir()}
    shutil.rmtree(inputs)
    shutil.rmtree(project.path / ".housectl" / "runs")
    project.run_ok("promote")
    assert {path.name for path in inputs.iterdir()} & before


def test_promotion_without_the_inputs_is_refused(project: ProjectDirectory) -> None:
    shutil.rmtree(project.path / ".housectl" / "inputs")
    data = project.path / "data.csv"
    data.write_text("\n".join(data.read_text().splitlines()[:-5]) + "\n")
    output = project.run("promote")
    assert_refused(output, project, "are missing")
    assert "housectl tune" in output.err


def forget_training_version(project: ProjectDirectory, digest: str) -> str:
    """Make a bundle and its evidence those of an earlier version; return the new digest."""
    bundle = project.store / bundle_key(digest)
    edit_json(bundle / BUNDLE_FILE, lambda record: record["recipe"].pop("training"))  # type: ignore[attr-defined]
    new = BundleRecord.from_json((bundle / BUNDLE_FILE).read_bytes()).digest
    bundle.rename(project.store / bundle_key(new))
    path = project.store / evidence_file_key(digest)
    edit_json(path, lambda evidence: evidence["recipe"].pop("training"))  # type: ignore[attr-defined]
    edit_json(path, lambda evidence: evidence.update(bundle=new))
    path.rename(project.store / evidence_file_key(new))
    return new


def test_challenger_of_an_earlier_version_is_judged_by_its_own_evidence(
    project: ProjectDirectory,
) -> None:
    store = LocalStore(project.store)
    challenger, champion = store.newest_challenger(), store.require_champion()
    new = forget_training_version(project, challenger.bundle)
    path = project.store / challenger_key(challenger.number)
    edit_json(path, lambda record: record.update(bundle=new))
    refused = project.run("compare")
    assert refused.status == ExitStatus.BUNDLE
    assert "version 2 of the training procedure" in refused.err

    old = forget_training_version(project, champion.bundle)
    path = project.store / entry_key(champion.number)
    edit_json(path, lambda record: record.update(bundle=old))
    evidence = store.evidence(new)
    assert evidence is not None
    output = project.run_ok("compare", "--json").json
    assert output["challenger_holdout_mse"] == evidence.model.holdout_mse
