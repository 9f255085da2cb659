"""Compare, promote, rollback, history and deploy_details.json, as processes on a real store."""

import json
import subprocess
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from housectl.store.layout import entry_key
from housectl.store.local import LocalStore
from tests.strace import inject_fault
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment

pytestmark = pytest.mark.slow


@pytest.fixture
def project(project_with_challenger: ProjectDirectory, tmp_path: Path) -> ProjectDirectory:
    return project_with_challenger.copy(tmp_path / "boston")


def details(project: ProjectDirectory) -> dict[str, dict[str, object] | None]:
    content: dict[str, dict[str, object] | None] = json.loads(
        (project.path / "deploy_details.json").read_text()
    )
    return content


def test_first_champion_has_no_predecessor(project: ProjectDirectory) -> None:
    deployed = details(project)
    assert deployed["old_model"] is None
    assert deployed["new_model"] == deployed["prod_model"]
    assert deployed["prod_model"] is not None
    assert set(deployed["prod_model"]) == {"mse", "version", "uri"}


def test_compare_explains_verdict_and_changes_nothing(project: ProjectDirectory) -> None:
    before = details(project)
    result = project.run_ok("compare", "--json").json
    assert result["accepted"] is True
    assert result["challenger_holdout_mse"] < result["champion_holdout_mse"]  # type: ignore[operator]
    low, high = result["interval_90"]  # type: ignore[misc]
    assert low < result["cv_mse_difference"] < high < 0  # type: ignore[has-type,operator]
    assert len(LocalStore(project.store).history()) == 1
    assert details(project) == before


def test_promotion_and_rollback_are_entries_of_one_history(project: ProjectDirectory) -> None:
    promoted = project.run_ok("promote", "--json").json
    assert promoted["promoted"] is True
    previous, champion = details(project)["old_model"], details(project)["prod_model"]
    assert champion == details(project)["new_model"]
    assert champion is not None
    assert champion["version"] == promoted["challenger"]
    project.run_ok("rollback", "--reason", "complaints")
    assert details(project)["prod_model"] == previous
    assert details(project)["old_model"] == champion
    rows = project.run_ok("history", "--json").json["history"]
    actions = [row["action"] for row in rows]  # type: ignore[attr-defined]
    assert actions == ["rollback", "promotion", "promotion"]
    assert rows[0]["reason"] == "complaints"  # type: ignore[index]


def test_worse_challenger_is_rejected(project: ProjectDirectory) -> None:
    project.run_ok("promote")
    again = project.run("promote", "poor", "--json")
    assert again.status == ExitStatus.CHAMPION_KEPT
    assert again.json["promoted"] is False
    deployed = details(project)
    assert deployed["old_model"] == deployed["prod_model"] != deployed["new_model"]
    assert deployed["new_model"] is not None
    assert deployed["new_model"]["version"] == again.json["challenger"]
    assert len(LocalStore(project.store).history()) == 2


def test_promote_keeps_champion_on_tie(project: ProjectDirectory) -> None:
    project.run_ok("promote")
    assert project.run("promote").status == ExitStatus.CHAMPION_KEPT


def test_next_command_repairs_deploy_details(project: ProjectDirectory) -> None:
    project.run_ok("promote")
    expected = details(project)
    (project.path / "deploy_details.json").unlink()
    project.run("compare")
    assert details(project) == expected


def test_concurrent_promotions_create_one_entry(project: ProjectDirectory) -> None:
    processes = [
        subprocess.Popen(
            [HOUSECTL, "promote"],
            cwd=project.path,
            env=clean_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    statuses = [(process.communicate(), process.returncode)[1] for process in processes]
    allowed = {ExitStatus.OK, ExitStatus.LOCAL_ENVIRONMENT, ExitStatus.CHAMPION_KEPT}
    assert statuses.count(ExitStatus.OK) == 1
    assert set(statuses) <= allowed
    assert [entry.number for entry in LocalStore(project.store).history()] == [1, 2]


def test_altered_bundle_is_not_promoted(project: ProjectDirectory) -> None:
    challenger = LocalStore(project.store).newest_challenger()
    model = project.store / "bundles" / challenger.bundle / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    result = project.run("promote")
    assert result.status == ExitStatus.BUNDLE
    assert "model.onnx was altered" in result.err
    assert "Traceback" not in result.err
    assert len(LocalStore(project.store).history()) == 1


def test_broken_history_is_reported(project: ProjectDirectory) -> None:
    project.run_ok("promote")
    first = project.store / entry_key(1)
    first.write_text(first.read_text().replace("boston", "Boston") + " ")
    result = project.run("history")
    assert result.status == ExitStatus.BUNDLE
    assert "hash of the entry before does not match" in result.err


def test_newer_format_is_reported(project: ProjectDirectory) -> None:
    first = project.store / entry_key(1)
    newer = first.read_text().replace('"schema_version": 2', '"schema_version": 4, "new": 1')
    first.write_text(newer)
    result = project.run("history")
    assert result.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "pip install --upgrade housectl" in result.err


def test_rollback_without_predecessor_is_rejected(project: ProjectDirectory) -> None:
    result = project.run("rollback")
    assert result.status == ExitStatus.USAGE
    assert "no earlier champion" in result.err


@pytest.mark.strace
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ("fsync", "ENOSPC", "No space left on device"),
        ("link", "EROFS", "Read-only file system"),
        ("link", "EACCES", "Permission denied"),
    ],
)
def test_disk_error_is_reported_and_champion_is_kept(
    project: ProjectDirectory, call: str, error: str, message: str
) -> None:
    result = project.run("promote", wrapper=inject_fault(call, f"error={error}"))
    assert result.status == ExitStatus.LOCAL_ENVIRONMENT
    assert message in result.err
    assert "hint:" in result.err
    assert "Traceback" not in result.err
    assert len(LocalStore(project.store).history()) == 1
    project.run_ok("promote")


def test_compare_reevaluates_recipes_on_changed_data(project: ProjectDirectory) -> None:
    lines = (project.path / "data.csv").read_text().splitlines()
    (project.path / "data.csv").write_text("\n".join(lines[:450]) + "\n")
    project.run_ok("tune", "--name", "fewer")
    before = {path.name for path in (project.store / "evidence").iterdir()}
    result = project.run_ok("compare", "fewer", "--json").json
    added = {path.name for path in (project.store / "evidence").iterdir()} - before
    assert len(added) == 1
    assert result["accepted"] is True
