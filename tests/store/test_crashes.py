"""Kills (SIGKILL) at every file change of the store and at any moment of a search lose nothing."""

import json
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from housectl.store.local import LocalStore
from tests.spaces import GOOD
from tests.strace import inject_fault
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment, example

pytestmark = pytest.mark.slow

KILLED = -9
KILLS = 20
MAX_RUN_SECONDS = 3.0
SMALL = {"max_features": {"min": 0.3, "max": 1.0}, "n_estimators": 10}
CHANGES = "rename,renameat,renameat2,link,linkat,fsync,unlink,unlinkat,mkdir,rmdir"


def killed_at(number: int) -> tuple[str, ...]:
    """Return a prefix that kills a command at its n-th call that changes files."""
    return inject_fault(CHANGES, f"signal=KILL:when={number}")


def assert_valid(project: ProjectDirectory) -> None:
    """Check the chain of the history, and every byte of every bundle."""
    store = LocalStore(project.store)
    history = store.history()
    assert [entry.number for entry in history] == list(range(1, len(history) + 1))
    for bundle in (project.store / "bundles").iterdir():
        if not bundle.name.startswith(".tmp-"):
            store.bundle(bundle.name)
    project.run_ok("history")


def prod_version(project: ProjectDirectory) -> str:
    details = json.loads((project.path / "deploy_details.json").read_text())
    version: str = details["prod_model"]["version"]
    return version


@pytest.mark.strace
@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_kill_at_any_file_change_leaves_one_champion(
    project_with_challenger: ProjectDirectory, tmp_path: Path, command: str
) -> None:
    prepared = project_with_challenger.copy(tmp_path / "prepared")
    if command == "rollback":
        prepared.run_ok("promote")
    before = len(LocalStore(prepared.store).history())
    committed = []
    for number in count(1):
        project = prepared.copy(tmp_path / str(number))
        status = project.run(command, wrapper=killed_at(number)).status
        assert_valid(project)
        committed.append(len(LocalStore(project.store).history()) > before)
        if status == 0:
            break
        assert status == KILLED
        # The command repeats a lost commit, and `compare` repairs deploy_details.json otherwise.
        if not committed[-1]:
            project.run_ok(command)
        else:
            project.run("compare")
        assert len(LocalStore(project.store).history()) == before + 1
        assert prod_version(project) == LocalStore(project.store).require_champion().bundle[:12]
    assert committed == sorted(committed)
    assert set(committed) == {False, True}


@contextmanager
def killed_after_block(
    project: ProjectDirectory, *arguments: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a command; after the block, kill it, its supervisor and its trainers."""
    command = subprocess.Popen(
        [HOUSECTL, *arguments],
        cwd=project.path,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield command
    finally:
        command.kill()
        command.wait()
        subprocess.run(["pkill", "-KILL", "-f", str(project.path)], check=False)


def outcome(project: ProjectDirectory, name: str) -> object:
    """Return the results that must not depend on the moment of the kill."""
    shown = project.run_ok("show", name, "--json").json
    trials = shown["trials"]
    assert isinstance(trials, list)
    decisive = ("trial", "family", "assignment", "mse", "state")
    return shown["challenger"], [{key: trial[key] for key in decisive} for trial in trials]


def test_search_killed_at_any_moment_finishes_with_same_trials(tmp_path: Path) -> None:
    project = example(".", tmp_path / "boston", space=SMALL, budget={"trials": 6})
    project.run_ok("tune", "--name", "undisturbed")
    expected = outcome(project, "undisturbed")
    moments = random.Random(4)
    kills = 0
    while kills < KILLS:
        name = f"disturbed-{kills}"
        arguments: tuple[str, ...] = ("tune", "--name", name)
        for _ in range(moments.randint(2, 5)):
            with (
                killed_after_block(project, *arguments) as command,
                suppress(subprocess.TimeoutExpired),
            ):
                command.wait(moments.uniform(0.3, MAX_RUN_SECONDS))
            assert_valid(project)
            kills += 1
            exists = project.run("status", name).status == 0
            arguments = ("tune", "--resume", name) if exists else arguments
        project.run_ok(*arguments)
        assert outcome(project, name) == expected
    assert len({path.name for path in (project.store / "bundles").glob("[!.]*")}) == 1


def test_killed_search_can_be_promoted_without_resume(tmp_path: Path) -> None:
    project = example(".", tmp_path / "boston", space=GOOD, budget={"trials": 1000})
    with killed_after_block(project, "tune", "--name", "killed") as command:
        while "succeeded" not in project.run("show", "killed", "--json").out:
            assert command.poll() is None
    shown = project.run_ok("show", "killed", "--json").json
    assert shown["state"] == "interrupted"
    assert isinstance(shown["trials"], list)
    project.run_ok("promote", "killed")
    store = LocalStore(project.store)
    champion = store.bundle(store.require_champion().bundle)
    assert champion.metrics.mse == min(trial["mse"] for trial in shown["trials"])
