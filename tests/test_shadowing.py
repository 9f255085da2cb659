"""Files with the names of installed modules, in the project and in PYTHONPATH, change nothing."""

import os
import subprocess
import sys
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from housectl.python_process import child_environment, deprioritize_pythonpath, module_argv
from tests.spaces import GOOD
from tests.test_end_to_end import champion, serving
from tools.project_directory import ProjectDirectory, example
from tools.server_process import free_port

PROGRAMS = ("housectl_server", "housectl_trainer")
SHADOW = 'raise SystemExit(f"{__file__} was imported")\n'


def modules_of_script_start() -> set[str]:
    """Return the modules that Python loads before the first line of the command line."""
    code = "import re, sys, housectl.python_process; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in loaded.stdout.split()}


def write_shadows(directory: Path, names: set[str]) -> None:
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / f"{name}.py").write_text(SHADOW)
    for name in PROGRAMS:
        (directory / name).mkdir()
        (directory / name / "__init__.py").write_text(SHADOW)


@pytest.fixture(scope="module")
def names() -> set[str]:
    known = {*sys.stdlib_module_names, *packages_distributions()}
    return {"server", *(name for name in known if PathFinder.find_spec(name))}


@pytest.fixture
def project(tmp_path: Path, names: set[str]) -> ProjectDirectory:
    project = example(".", tmp_path / "boston", space=GOOD, budget={"trials": 2})
    write_shadows(project.path, names)
    return project


@pytest.mark.slow
def test_whole_way_ignores_modules_of_user(
    project: ProjectDirectory, tmp_path: Path, names: set[str]
) -> None:
    customized = {"sitecustomize", "usercustomize"}
    write_shadows(tmp_path / "path", names - modules_of_script_start() - customized)
    pythonpath = {"PYTHONPATH": str(tmp_path / "path")}
    project.run_ok("tune", **pythonpath)
    project.run_ok("promote", **pythonpath)
    assert champion(project)
    port = free_port()
    with serving(project, port, **pythonpath) as url:
        project.run_ok("verify", "--url", url, "--p99-ms", "5000", **pythonpath)


@pytest.mark.parametrize("module", PROGRAMS)
def test_program_starts_among_files_of_same_names(project: ProjectDirectory, module: str) -> None:
    started = subprocess.run(
        [sys.executable, *module_argv(module, "--help")],
        cwd=project.path,
        env=child_environment() | {"HOUSECTL_STORE": str(project.store)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr


def test_child_environment_lacks_pythonpath_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    expected = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    assert child_environment() == expected


def test_pythonpath_with_housectl_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(sys.modules[child_environment.__module__].__file__ or "").parents[1]
    monkeypatch.setenv("PYTHONPATH", f"/somewhere{os.pathsep}{source}")
    assert child_environment() == {**os.environ}


def test_pythonpath_moves_behind_installed_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/first")
    monkeypatch.setattr(sys, "path", ["/script", "/first", "/library", "/site-packages"])
    deprioritize_pythonpath()
    assert sys.path == ["/script", "/library", "/site-packages", "/first"]
