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
    found: dict[str, dict[str, object] | None] = json.loads(
        (project.path / "deploy_details.json").read_text()
    )
    return found


def test_the_first_champion_has_no_forerunner(project: ProjectDirectory) -> None:
    found = details(project)
    assert found["old_model"] is None
    assert found["new_model"] == found["prod_model"]
    assert found["prod_model"] is not None
    assert set(found["prod_model"]) == {"mse", "version", "uri"}


def test_compare_explains_and_changes_nothing(project: ProjectDirectory) -> None:
    before = details(project)
    answer = project.run_ok("compare", "--json").json
    assert answer["accepted"] is True
    assert answer["challenger_holdout_mse"] < answer["champion_holdout_mse"]  # type: ignore[operator]
    low, high = answer["interval_90"]  # type: ignore[misc]
    assert low < answer["cv_mse_difference"] < high < 0  # type: ignore[has-type,operator]
    assert LocalStore(project.store).newest_number() == 1
    assert details(project) == before


def test_promotion_and_rollback_are_entries_of_one_chain(project: ProjectDirectory) -> None:
    promoted = project.run_ok("promote", "--json").json
    assert promoted["promoted"] is True
    former, champion = details(project)["old_model"], details(project)["prod_model"]
    assert champion == details(project)["new_model"]
    assert champion is not None
    assert champion["version"] == promoted["challenger"]
    project.run_ok("rollback", "--reason", "complaints")
    assert details(project)["prod_model"] == former
    assert details(project)["old_model"] == champion
    rows = project.run_ok("history", "--json").json["history"]
    actions = [row["action"] for row in rows]  # type: ignore[attr-defined]
    assert actions == ["rollback", "promotion", "promotion"]
    assert rows[0]["reason"] == "complaints"  # type: ignore[index]


def test_a_challenger_that_is_not_better_is_refused(project: ProjectDirectory) -> None:
    project.run_ok("promote")
    again = project.run("promote", "poor", "--json")
    assert again.status == ExitStatus.CHAMPION_KEPT
    assert again.json["promoted"] is False
    found = details(project)
    assert found["old_model"] == found["prod_model"] != found["new_model"]
    assert found["new_model"] is not None
    assert found["new_model"]["version"] == again.json["challenger"]
    assert LocalStore(project.store).newest_number() == 2


def test_a_second_promotion_of_the_champion_is_a_tie(project: ProjectDirectory) -> None:
    project.run_ok("promote")
    assert project.run("promote").status == ExitStatus.CHAMPION_KEPT


def test_the_next_command_repairs_deploy_details(project: ProjectDirectory) -> None:
    project.run_ok("promote")
    right = details(project)
    (project.path / "deploy_details.json").unlink()
    project.run("compare")
    assert details(project) == right


def test_two_promotions_at_once_make_one_entry(project: ProjectDirectory) -> None:
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


def test_an_altered_bundle_is_never_promoted(project: ProjectDirectory) -> None:
    challenger = LocalStore(project.store).newest_challenger()
    model = project.store / "bundles" / challenger.bundle / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    answer = project.run("promote")
    assert answer.status == ExitStatus.BUNDLE
    assert "model.onnx was altered" in answer.err
    assert "Traceback" not in answer.err
    assert LocalStore(project.store).newest_number() == 1


def test_a_broken_chain_is_told(project: ProjectDirectory) -> None:
    project.run_ok("promote")
    first = project.store / entry_key(1)
    first.write_text(first.read_text().replace("boston", "Boston") + " ")
    answer = project.run("history")
    assert answer.status == ExitStatus.BUNDLE
    assert "hash of the entry before does not match" in answer.err


def test_a_newer_format_is_named(project: ProjectDirectory) -> None:
    first = project.store / entry_key(1)
    newer = first.read_text().replace('"schema_version": 1', '"schema_version": 2, "new": 1')
    first.write_text(newer)
    answer = project.run("history")
    assert answer.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "pip install --upgrade housectl" in answer.err


def test_rolling_back_without_a_forerunner_is_refused(project: ProjectDirectory) -> None:
    answer = project.run("rollback")
    assert answer.status == ExitStatus.USAGE
    assert "no earlier champion" in answer.err


@pytest.mark.strace
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ("fsync", "ENOSPC", "No space left on device"),
        ("link", "EROFS", "Read-only file system"),
        ("link", "EACCES", "Permission denied"),
    ],
)
def test_a_disk_that_refuses_is_named_and_the_champion_stays(
    project: ProjectDirectory, call: str, error: str, message: str
) -> None:
    answer = project.run("promote", wrapper=inject_fault(call, f"error={error}"))
    assert answer.status == ExitStatus.LOCAL_ENVIRONMENT
    assert message in answer.err
    assert "hint:" in answer.err
    assert "Traceback" not in answer.err
    assert LocalStore(project.store).newest_number() == 1
    project.run_ok("promote")


def test_changed_data_compares_recipes_on_the_new_data(project: ProjectDirectory) -> None:
    lines = (project.path / "data.csv").read_text().splitlines()
    (project.path / "data.csv").write_text("\n".join(lines[:450]) + "\n")
    project.run_ok("tune", "--name", "fewer")
    kept = {path.name for path in (project.store / "evidence").iterdir()}
    answer = project.run_ok("compare", "fewer", "--json").json
    made = {path.name for path in (project.store / "evidence").iterdir()} - kept
    assert len(made) == 1
    assert answer["accepted"] is True
