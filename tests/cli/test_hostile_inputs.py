"""Files and values that no user means: each command ends with a message, never a traceback."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tools.project_directory import CommandOutput, ProjectDirectory

DIGITS = "1" * 330
PLANNED = {int(status) for status in ExitStatus if status is not ExitStatus.BUG}


@pytest.fixture
def project(project_with_challenger: ProjectDirectory, tmp_path: Path) -> ProjectDirectory:
    return project_with_challenger.copy(tmp_path / "boston")


def assert_planned(output: CommandOutput) -> None:
    assert output.status in PLANNED, output
    assert "Traceback" not in output.err + output.out
    assert bool(output.status) == ("hint:" in output.err)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def replace_by_directory(path: Path) -> None:
    remove(path)
    path.mkdir()


def replace_by_link_to(target: str) -> Callable[[Path], None]:
    def replace(path: Path) -> None:
        remove(path)
        path.symlink_to(target)

    return replace


def replace_by_text(text: str) -> Callable[[Path], None]:
    def replace(path: Path) -> None:
        remove(path)
        path.write_text(text, encoding="latin-1")

    return replace


CHANGES = {
    "missing": remove,
    "directory": replace_by_directory,
    "loop": replace_by_link_to("/proc/self/cwd/../boston/loop"),
    "dangling link": replace_by_link_to("no-such-file"),
    "empty": replace_by_text(""),
    "not UTF-8": replace_by_text("\xff\x00{["),
    "deep": replace_by_text("[" * 10**6),
    "330 digits": replace_by_text(f'{{"schema_version": {DIGITS}}}'),
}
FILES = {
    "housectl.yaml": ("render",),
    "data.csv": ("render",),
    ".housectl": ("list",),
    ".housectl/runs": ("list",),
    ".housectl/runs/good/plan.json": ("show", "good"),
    ".housectl/runs/good/outcome.json": ("status", "good"),
    ".housectl/runs/good/trials.jsonl": ("show", "good"),
    ".housectl/runs/good/lock": ("status", "good"),
    ".housectl/store": ("history",),
    ".housectl/store/history/1.json": ("history",),
    ".housectl/store/challengers/2.json": ("compare", "good"),
    ".housectl/store/evidence": ("compare", "good"),
    "deploy_details.json": ("compare", "good"),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("file", FILES)
def test_unusable_file_ends_with_message(project: ProjectDirectory, file: str, change: str) -> None:
    CHANGES[change](project.path / file)
    assert_planned(project.run(*FILES[file]))


ARGUMENTS = {
    "330 digits of an integer": ("tune", "--trials", DIGITS),
    "330 digits of a number": ("verify", "--p99-ms", DIGITS),
    "5000 digits": ("tune", "--seed", "1" * 5000),
    "not a number": ("verify", "--p99-ms", "nan"),
    "name with control characters": ("show", "\x1b[31m:x:\n"),
    "name that is not UTF-8": ("delete", "caf\udce9"),
    "name with dots": ("delete", "../../x"),
    "empty name": ("stop", ""),
    "long name": ("logs", "a" * 5000),
    "trial with slashes": ("logs", "good", "--trial", "../../../data"),
    "version that is not UTF-8": ("rollback", "--to", "\udcff"),
    "handle of no backend": ("show", "nothing://x/y/z"),
    "handle with escapes": ("show", "local:///%00%ff%2e%2e"),
    "project that is a device": ("list", "-C", "/dev/null"),
    "project that is not UTF-8": ("list", "-C", "caf\udce9"),
    "project with a long name": ("list", "-C", "a" * 5000),
    "store that is a file": ("history", "--store", "data.csv"),
    "store that is a device": ("promote", "--store", "/dev/null"),
    "store that is not UTF-8": ("history", "--store", "caf\udce9"),
    "data that is a directory": ("init", "--data", ".", "--target", "MEDV"),
    "data that is a device": ("init", "--data", "/dev/null", "--target", "MEDV"),
    "data that is not UTF-8": ("init", "--data", "caf\udce9", "--target", "MEDV"),
    "target that is not UTF-8": ("init", "--data", "data.csv", "--target", "caf\udce9"),
    "output below a file": (
        "init",
        "--data",
        "data.csv",
        "--target",
        "MEDV",
        "--output-dir",
        "data.csv/x",
    ),
    "deploy details that are a directory": ("promote", "--deploy-details", "/"),
    "URL without host": ("verify", "--url", "http://"),
    "URL with a wrong port": ("verify", "--url", "http://127.0.0.1:99999"),
    "URL with an invalid host": ("verify", "--url", "http://[::1"),
    "URL that is not UTF-8": ("verify", "--url", "http://caf\udce9"),
    "host that is not UTF-8": ("serve", "--host", "caf\udce9"),
    "host that is no address": ("serve", "--host", "no such host"),
    "context that is not UTF-8": ("render", "--backend", "katib", "--context", "caf\udce9"),
}


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
def test_hostile_argument_ends_with_message(
    project: ProjectDirectory, arguments: tuple[str, ...]
) -> None:
    assert_planned(project.run(*arguments))


@pytest.mark.parametrize(
    "arguments", [("history",), ("list", "-C", "boston"), ("doctor", "--json")]
)
def test_deleted_current_directory_is_named(
    project: ProjectDirectory, arguments: tuple[str, ...]
) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    output = project.run(*arguments, wrapper=("sh", "-c", script, "sh"))
    assert output.status == ExitStatus.USAGE
    assert "The current directory was deleted." in output.err + output.out


def test_directory_that_is_not_utf8_is_used(project: ProjectDirectory, tmp_path: Path) -> None:
    moved = ProjectDirectory(project.path.rename(tmp_path / "caf\udce9 :x:"))
    assert moved.run_ok("list", "--json").json["experiments"]
    moved.run_ok("promote")
    moved.run_ok("delete", "good")
