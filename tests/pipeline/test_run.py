"""`housectl run` as real processes, with a real server."""

import json
import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from housectl.store.local import LocalStore
from tests.test_end_to_end import free_port, serving
from tools.project_directory import CommandOutput, ProjectDirectory, example

pytestmark = pytest.mark.slow

# Every model of `GOOD` beats every model of `POOR`, and that every model of `WORSE`.
WORSE = {"min_samples_leaf": {"min": 60, "max": 70}, "n_estimators": 3}
POOR = {"min_samples_leaf": {"min": 12, "max": 16}, "n_estimators": 5}
GOOD = {"max_features": {"min": 0.3, "max": 0.6}, "n_estimators": 20}

SKIPPED = ["skipped"] * 4


def steps(output: CommandOutput) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(output.out)["steps"]
    return rows


def actions(output: CommandOutput) -> list[str]:
    return [row["action"] for row in steps(output)]


def run(project: ProjectDirectory, *options: str) -> CommandOutput:
    return project.run("run", "--json", *options)


def champion(project: ProjectDirectory) -> str:
    return LocalStore(project.store).require_champion().bundle


def history_length(project: ProjectDirectory) -> int:
    return len(LocalStore(project.store).history())


def experiments(project: ProjectDirectory) -> list[str]:
    return sorted(path.name for path in (project.path / ".housectl" / "runs").glob("[!.]*"))


def challengers(project: ProjectDirectory) -> int:
    return len(list((project.store / "challengers").iterdir()))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    """A project whose first run has promoted a poor model; no server was asked yet."""
    project = example(
        ".",
        tmp_path_factory.mktemp("run") / "boston",
        space=POOR,
        budget={"trials": 2},
        serve={"port": free_port()},
        verify={"p99_ms": 5000},
    )
    output = run(project, "--to", "promote")
    assert output.status == ExitStatus.OK, output.err
    assert actions(output) == ["done", "done"]
    assert output.json["promoted"] is True
    assert output.json["champion"] == champion(project)
    return project


@dataclass(frozen=True)
class Deployment:
    """A copy of the project, and the port of its server."""

    project: ProjectDirectory
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> AbstractContextManager[str]:
        return serving(self.project, self.port)

    def run(self, *options: str) -> CommandOutput:
        return run(self.project, "--url", self.url, *options)


@pytest.fixture
def deployment(original: ProjectDirectory, tmp_path: Path) -> Deployment:
    return Deployment(original.copy(tmp_path / "boston"), free_port())


def test_second_run_does_nothing(deployment: Deployment) -> None:
    with deployment.serve():
        first = deployment.run()
        assert first.status == ExitStatus.OK, first.err
        assert actions(first) == ["skipped", "skipped", "done", "done"]
    # A skipped verification needs no server.
    second = deployment.run()
    assert (second.status, actions(second)) == (ExitStatus.OK, SKIPPED)
    assert history_length(deployment.project) == 1


def test_better_search_is_promoted_and_verified(deployment: Deployment) -> None:
    deployment.project.edit_config(space=GOOD)
    before = champion(deployment.project)
    with deployment.serve():
        output = deployment.run()
    assert output.status == ExitStatus.OK, output.err
    assert actions(output) == ["done"] * 4
    assert "search space changed" in steps(output)[0]["reason"]
    assert champion(deployment.project) == output.json["champion"] != before
    assert len(experiments(deployment.project)) == 2


def test_worse_search_keeps_champion(deployment: Deployment) -> None:
    deployment.project.edit_config(space=WORSE)
    kept = champion(deployment.project)
    with deployment.serve():
        first = deployment.run()
        assert first.status == ExitStatus.CHAMPION_KEPT, first.err
        assert actions(first) == ["done"] * 4
        assert first.json["promoted"] is False
    second = deployment.run()
    assert (second.status, actions(second)) == (ExitStatus.OK, SKIPPED)
    assert champion(deployment.project) == kept


def test_missing_server_leaves_earlier_steps_done(deployment: Deployment) -> None:
    output = deployment.run()
    assert output.status == ExitStatus.SERVER_UNREACHABLE
    assert "housectl serve" in output.out
    with deployment.serve():
        output = deployment.run()
    assert output.status == ExitStatus.OK, output.err
    assert actions(output) == ["skipped", "skipped", "done", "done"]


def test_other_machine_skips_steps(original: ProjectDirectory, tmp_path: Path) -> None:
    other = ProjectDirectory(tmp_path / "other")
    other.path.mkdir()
    for name in ("housectl.yaml", "data.csv"):
        shutil.copy(original.path / name, other.path)
    output = run(other, "--store", str(original.store), "--to", "promote")
    assert (output.status, actions(output)) == (ExitStatus.OK, ["skipped", "skipped"])
    assert experiments(other) == []
