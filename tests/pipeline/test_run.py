"""`housectl run` as real processes, with a real server."""

import json
import shutil
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tests.pipeline.projects import WORSE, Deployment, actions, new_deployment, steps
from tests.spaces import GOOD
from tests.test_end_to_end import free_port
from tools.project_directory import ProjectDirectory

pytestmark = pytest.mark.slow

SKIPPED = ["skipped"] * 4


def content(directory: Path) -> dict[str, bytes | None]:
    """Return the content of each file below a directory; None for directories."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in directory.rglob("*")
    }


@pytest.fixture(scope="module")
def finished(promoted: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A project of which a run has done every step."""
    deployment = promoted.copy(tmp_path_factory.mktemp("finished") / "boston")
    with deployment.serve():
        output = deployment.run()
    assert output.status == ExitStatus.OK, output.err
    assert actions(output) == ["skipped", "skipped", "done", "done"]
    return deployment


def test_second_run_does_nothing_and_needs_no_server(finished: Deployment) -> None:
    output = finished.run()
    assert (output.status, actions(output)) == (ExitStatus.OK, SKIPPED)
    assert finished.history_length == 1


@pytest.mark.parametrize(
    ("fields", "planned", "reason"),
    [
        ({"workers": 1}, [], ""),
        ({"seed": 7}, ["tune", "promote", "wait", "verify"], "seed changed: 42 → 7"),
        ({"space": GOOD}, ["tune", "promote", "wait", "verify"], "search space changed"),
        ({"budget": {"trials": 3}}, ["tune", "promote", "wait", "verify"], "trials changed: 2 → 3"),
        ({"golden": "synthetic"}, ["tune", "promote", "wait", "verify"], "golden rows changed"),
        ({"split": {"holdout": 0.3}}, ["tune", "promote", "wait", "verify"], "split changed"),
        ({"gate": "holdout"}, ["promote", "wait", "verify"], "gate changed: holdout-and-cv"),
        ({"verify": {"p99_ms": 7000}}, ["verify"], "p99 limit changed: 5000.0 → 7000.0"),
    ],
)
def test_change_plans_the_steps_that_depend_on_it(
    finished: Deployment,
    tmp_path: Path,
    fields: dict[str, object],
    planned: list[str],
    reason: str,
) -> None:
    deployment = finished.copy(tmp_path / "boston")
    deployment.project.edit_config(**fields)
    before = content(deployment.project.path)
    output = deployment.run("--dry-run")
    assert output.status == ExitStatus.OK, output.err
    assert [row["step"] for row in steps(output) if row["action"] == "planned"] == planned
    assert not planned or reason in next(
        row["reason"] for row in steps(output) if row["step"] == planned[0]
    )
    assert content(deployment.project.path) == before


def test_changed_data_plans_a_search(finished: Deployment, tmp_path: Path) -> None:
    deployment = finished.copy(tmp_path / "boston")
    data = deployment.project.path / "data.csv"
    data.write_text(data.read_text() + data.read_text().splitlines()[-1] + "\n")
    output = deployment.run("--dry-run")
    assert actions(output) == ["planned"] * 4
    assert "data changed" in steps(output)[0]["reason"]


def test_changed_gate_and_url_run_their_steps_only(finished: Deployment, tmp_path: Path) -> None:
    deployment = Deployment(finished.project.copy(tmp_path / "boston"), free_port())
    with deployment.serve():
        output = deployment.run("--gate", "holdout")
    assert output.status == ExitStatus.OK, output.err
    assert actions(output) == ["skipped", "done", "done", "done"]
    assert "is the champion already" in steps(output)[1]["outcome"]
    assert "server URL changed" in steps(output)[2]["reason"]
    assert (deployment.history_length, deployment.challengers) == (1, 1)


def test_first_run_of_a_project_plans_every_step(tmp_path: Path) -> None:
    deployment = new_deployment(tmp_path / "boston")
    before = content(deployment.project.path)
    output = deployment.run("--dry-run")
    assert (output.status, actions(output)) == (ExitStatus.OK, ["planned"] * 4)
    assert content(deployment.project.path) == before


def test_better_search_is_promoted_and_its_rollback_is_kept(deployment: Deployment) -> None:
    deployment.project.edit_config(space=GOOD)
    before = deployment.champion
    with deployment.serve():
        first = deployment.run()
        assert first.status == ExitStatus.OK, first.err
        assert actions(first) == ["done"] * 4
        assert "search space changed" in steps(first)[0]["reason"]
        assert deployment.champion == first.json["champion"] != before
        assert len(deployment.runs) == 2

        deployment.project.run_ok("rollback", "--reason", "complaints")
        second = deployment.run()
        assert second.status == ExitStatus.CHAMPION_KEPT, second.err
        assert actions(second) == ["skipped", "done", "done", "done"]
        assert "history entry 3 rolled the challenger" in steps(second)[1]["outcome"]
    assert deployment.champion == before
    third = deployment.run()
    assert (third.status, actions(third)) == (ExitStatus.OK, SKIPPED)


def test_worse_search_keeps_champion(deployment: Deployment) -> None:
    deployment.project.edit_config(space=WORSE)
    kept = deployment.champion
    with deployment.serve():
        first = deployment.run()
        assert first.status == ExitStatus.CHAMPION_KEPT, first.err
        assert actions(first) == ["done"] * 4
        assert first.json["promoted"] is False
    second = deployment.run()
    assert (second.status, actions(second)) == (ExitStatus.OK, SKIPPED)
    assert deployment.champion == kept


def test_missing_server_leaves_earlier_steps_done(deployment: Deployment) -> None:
    output = deployment.run()
    assert output.status == ExitStatus.SERVER_UNREACHABLE
    assert "housectl serve" in output.out
    with deployment.serve():
        output = deployment.run()
    assert output.status == ExitStatus.OK, output.err
    assert actions(output) == ["skipped", "skipped", "done", "done"]


def test_from_runs_a_step_and_all_later_ones(finished: Deployment, tmp_path: Path) -> None:
    deployment = finished.copy(tmp_path / "boston")
    planned = deployment.run("--from", "promote", "--dry-run")
    assert actions(planned) == ["skipped", "planned", "planned", "planned"]
    output = deployment.run("--from", "promote", "--to", "promote")
    assert (output.status, actions(output)) == (ExitStatus.OK, ["skipped", "done"])
    again = deployment.run("--from", "tune", "--to", "tune")
    assert (again.status, actions(again)) == (ExitStatus.OK, ["done"]), again.err
    assert len(deployment.runs) == 2
    assert again.json["challenger"] == output.json["challenger"]
    reversed_steps = deployment.run("--from", "verify", "--to", "promote")
    assert reversed_steps.status == ExitStatus.USAGE


def test_other_machine_skips_steps(promoted: Deployment, tmp_path: Path) -> None:
    other = Deployment(ProjectDirectory(tmp_path / "other"), promoted.port)
    other.project.path.mkdir()
    for name in ("housectl.yaml", "data.csv"):
        shutil.copy(promoted.project.path / name, other.project.path)
    output = other.run("--store", str(promoted.project.store), "--to", "promote")
    assert (output.status, actions(output)) == (ExitStatus.OK, ["skipped", "skipped"])
    assert other.runs == []
    details = json.loads((other.project.path / "deploy_details.json").read_text())
    assert promoted.champion.startswith(details["prod_model"]["version"])


def edit_record(deployment: Deployment, name: str, **fields: object) -> None:
    path = deployment.project.store / "steps" / f"{name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize(
    "fields", [{"challenger": "0" * 64}, {"experiment": None}, {"inputs": 7}, {"step": "promote"}]
)
def test_wrong_record_is_ignored(deployment: Deployment, fields: dict[str, object]) -> None:
    edit_record(deployment, "tune", **fields)
    output = deployment.run("--to", "promote")
    assert output.status == ExitStatus.OK, output.err
    assert actions(output) == ["done", "skipped"]
    assert (len(deployment.runs), deployment.challengers, deployment.history_length) == (1, 1, 1)


def test_record_of_newer_version_stops_the_run(deployment: Deployment) -> None:
    edit_record(deployment, "promote", schema_version=2)
    output = deployment.run("--to", "promote")
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "newer-format" in output.out


def test_failed_search_is_not_resumed(tmp_path: Path) -> None:
    deployment = new_deployment(tmp_path / "boston")
    deployment.project.edit_config(
        space={"min_samples_leaf": {"min": 1, "max": 2}, "n_estimators": 500},
        limits={"memory": "1Mi"},
        budget={"trials": 1},
    )
    for failures in (1, 2):
        output = deployment.run()
        assert output.status == ExitStatus.NO_USABLE_TRIAL, output.err
        assert len(deployment.runs) == failures


def test_unreadable_data_stops_the_run(deployment: Deployment) -> None:
    (deployment.project.path / "data.csv").unlink()
    for options in ((), ("--dry-run",)):
        output = deployment.run(*options)
        assert output.status == ExitStatus.USAGE
        assert "Cannot read the data file" in output.out
