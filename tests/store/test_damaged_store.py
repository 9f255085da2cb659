"""Damaged stores, forged names and wrong clocks, as the commands report them."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from housectl.store.layout import entry_key
from housectl.store.local import LocalStore
from tests.server.bundles import make_bundle, promote
from tests.spaces import GOOD
from tests.store.filled import content
from tools.project_directory import ProjectDirectory, example

pytestmark = pytest.mark.slow

COMMANDS = {
    "compare": (),
    "promote": (),
    "rollback": (),
    "history": (),
    "verify": (),
    "tune": ("--trials", "1"),
    "serve": (),
    "doctor": (),
}


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    """A project with three champions, without any search."""
    project = example(".", tmp_path / "boston", space=GOOD)
    for base in (1.0, 2.0, 3.0):
        promote(LocalStore(project.store), make_bundle(tmp_path, base=base))
    return project


@pytest.mark.parametrize("damage", ["gap", "link", "truncated"])
def test_damaged_history_ends_every_command(project: ProjectDirectory, damage: str) -> None:
    entry = project.store / entry_key(2)
    if damage == "gap":
        entry.unlink()
    elif damage == "link":
        entry.write_text(re.sub('"previous": .*', f'"previous": "{"0" * 64}",', entry.read_text()))
    else:
        entry.write_bytes(entry.read_bytes()[:50])
    before = content(LocalStore(project.store))
    for command, arguments in COMMANDS.items():
        output = project.run(command, *arguments)
        assert output.status == ExitStatus.BUNDLE, (command, output)
        assert str(entry) in output.err + output.out
        assert "ls -l " in output.err + output.out
        assert "Traceback" not in output.err
    assert content(LocalStore(project.store)) == before
    assert not (project.path / ".housectl" / "runs").exists()


def test_fifo_in_the_store_ends_commands(project: ProjectDirectory) -> None:
    entry = project.store / entry_key(3)
    entry.unlink()
    os.mkfifo(entry)
    output = project.run("history")
    assert output.status == ExitStatus.BUNDLE
    assert "Not a regular file" in output.err


def test_rollback_to_a_bundle_that_never_was_champion_is_refused(
    project: ProjectDirectory, tmp_path: Path
) -> None:
    store = LocalStore(project.store)
    never = make_bundle(tmp_path, base=9.0)
    store.add_bundle(never)
    output = project.run("rollback", "--to", never.version)
    assert output.status == ExitStatus.USAGE
    assert "0 present or former champions" in output.err
    assert len(store.history()) == 3
    first = store.history()[0].bundle
    project.run_ok("rollback", "--to", first[:12])
    assert store.require_champion().bundle == first


def test_rollback_repeats_the_golden_rows(project: ProjectDirectory, tmp_path: Path) -> None:
    store = LocalStore(project.store)
    promote(store, make_bundle(tmp_path, base=7.0, golden_error=0.5))
    promote(store, make_bundle(tmp_path / "again", base=1.0))
    output = project.run("rollback")
    assert output.status == ExitStatus.BUNDLE
    assert "golden rows differ" in output.err
    assert len(store.history()) == 5


def test_commands_warn_when_the_clock_runs_backwards(project: ProjectDirectory) -> None:
    newest = project.store / entry_key(3)
    assert "clock" not in project.run_ok("history").err
    newest.write_text(re.sub('"at": "20', '"at": "90', newest.read_text()))
    assert "The clock ran backwards: history entry 4" in project.run_ok("rollback").err
    assert "The clock ran backwards: history entry 4" in project.run_ok("history").err
    warnings = [line for line in project.run("doctor").out.splitlines() if "clock" in line]
    assert len(warnings) == 1


@pytest.mark.parametrize("command", ["delete", "stop", "show", "status", "prune", "logs"])
def test_name_that_leaves_the_project_is_refused(
    project: ProjectDirectory, tmp_path: Path, command: str
) -> None:
    outside = tmp_path / "x"
    outside.mkdir()
    (outside / "plan.json").write_text("{}")
    for name in ("../../../x", str(outside), f"local://{outside}", ".", "a/../b"):
        output = project.run(command, name)
        assert output.status == ExitStatus.USAGE, (name, output)
        assert "Traceback" not in output.err
    assert (outside / "plan.json").read_text() == "{}"


def test_inputs_of_a_plan_cannot_leave_their_root(project: ProjectDirectory) -> None:
    project.run_ok("tune", "--name", "small", "--trials", "1")
    plan = project.path / ".housectl" / "runs" / "small" / "plan.json"
    content = json.loads(plan.read_text())
    inputs = project.path / ".housectl" / "inputs" / content["inputs"]
    assert inputs.is_dir()
    shutil.copytree(inputs, project.path / "elsewhere")
    for forged in ("../../../elsewhere", str(project.path / "elsewhere"), ""):
        plan.write_text(json.dumps({**content, "inputs": forged}))
        output = project.run("tune", "--resume", "small")
        assert output.status == ExitStatus.BUNDLE, output
        assert "plan.json is altered" in output.err
        assert "Traceback" not in output.err
    project.run_ok("delete", "small")
    assert (project.path / "elsewhere" / "data.csv").exists()
