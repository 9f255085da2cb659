"""Two commands that seal the same trial at the same time."""

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
LONGEST_SECONDS = 3.0


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    """A project with a search that has ended, and nothing else."""
    project = example(
        ".", tmp_path_factory.mktemp("rivals") / "boston", space=GOOD, budget={"trials": 2}
    )
    project.run_ok("tune", "--name", "once")
    return project


@pytest.fixture
def moments(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.node.name)


def resumed(project: ProjectDirectory, **environment: str) -> "subprocess.Popen[str]":
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


def left_tasks(project: ProjectDirectory) -> set[str]:
    return {path.name for path in (project.path / ".housectl" / "runs").glob("[!.]*")} - {"once"}


@pytest.mark.parametrize("lead", [0.0, 0.1, 1.0])
def test_both_get_the_same_challenger(searched: ProjectDirectory, lead: float) -> None:
    stored = LocalStore(searched.store).challenger("once")
    assert stored is not None
    for _ in range(ROUNDS):
        first = resumed(searched)
        time.sleep(lead)
        second = resumed(searched)
        assert {challenger(first), challenger(second)} == {stored.bundle}
        assert left_tasks(searched) == set()


def test_a_kill_of_one_does_no_harm_to_the_other(
    searched: ProjectDirectory, moments: random.Random
) -> None:
    stored = LocalStore(searched.store).challenger("once")
    assert stored is not None
    for _ in range(ROUNDS):
        killed, other = resumed(searched), resumed(searched)
        time.sleep(moments.uniform(0, LONGEST_SECONDS))
        killed.kill()
        killed.communicate()
        assert challenger(other) == stored.bundle
        assert left_tasks(searched) == set()


def test_each_keeps_it_in_its_own_store(searched: ProjectDirectory, tmp_path: Path) -> None:
    stored = LocalStore(searched.store).challenger("once")
    assert stored is not None
    for number in range(ROUNDS):
        elsewhere = tmp_path / str(number)
        here, there = resumed(searched), resumed(searched, HOUSECTL_STORE=str(elsewhere))
        assert {challenger(here), challenger(there)} == {stored.bundle}
        assert LocalStore(elsewhere).bundle(stored.bundle)
        assert left_tasks(searched) == set()
