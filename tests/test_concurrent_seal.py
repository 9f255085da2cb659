"""Two commands seal the same trial at the same time."""

import json
import random
import subprocess
import time
from pathlib import Path

import pytest

from housectl.store.local import LocalStore
from tests.spaces import GOOD
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment, example

pytestmark = pytest.mark.slow

ROUNDS = 3
MAX_DELAY_SECONDS = 3.0


@pytest.fixture(scope="module")
def tuned_project(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    """A project with one finished experiment."""
    project = example(
        ".", tmp_path_factory.mktemp("concurrent_seal") / "boston", space=GOOD, budget={"trials": 2}
    )
    project.run_ok("tune", "--name", "once")
    return project


@pytest.fixture
def delays(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.node.name)


def start_resume(project: ProjectDirectory, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [HOUSECTL, "tune", "--resume", "once", "--json"],
        cwd=project.path,
        env=clean_environment() | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def challenger(command: "subprocess.Popen[str]") -> object:
    out, err = command.communicate()
    assert command.returncode == 0, (out, err)
    return json.loads(out)["challenger"]


def remaining_tasks(project: ProjectDirectory) -> set[str]:
    return {path.name for path in (project.path / ".housectl" / "runs").glob("[!.]*")} - {"once"}


@pytest.mark.parametrize("lead", [0.0, 0.1, 1.0])
def test_both_commands_get_same_challenger(tuned_project: ProjectDirectory, lead: float) -> None:
    stored = LocalStore(tuned_project.store).challenger("once")
    assert stored is not None
    for _ in range(ROUNDS):
        first = start_resume(tuned_project)
        time.sleep(lead)
        second = start_resume(tuned_project)
        assert {challenger(first), challenger(second)} == {stored.bundle}
        assert remaining_tasks(tuned_project) == set()


def test_killed_command_does_not_affect_the_other(
    tuned_project: ProjectDirectory, delays: random.Random
) -> None:
    stored = LocalStore(tuned_project.store).challenger("once")
    assert stored is not None
    for _ in range(ROUNDS):
        killed, other = start_resume(tuned_project), start_resume(tuned_project)
        time.sleep(delays.uniform(0, MAX_DELAY_SECONDS))
        killed.kill()
        killed.communicate()
        assert challenger(other) == stored.bundle
        assert remaining_tasks(tuned_project) == set()


def test_each_command_adds_challenger_to_its_own_store(
    tuned_project: ProjectDirectory, tmp_path: Path
) -> None:
    stored = LocalStore(tuned_project.store).challenger("once")
    assert stored is not None
    for number in range(ROUNDS):
        other_store = tmp_path / str(number)
        first, second = (
            start_resume(tuned_project),
            start_resume(tuned_project, HOUSECTL_STORE=str(other_store)),
        )
        assert {challenger(first), challenger(second)} == {stored.bundle}
        assert LocalStore(other_store).bundle(stored.bundle)
        assert remaining_tasks(tuned_project) == set()
