"""Properties of every command, and errors that new users see first."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from housectl.cli import main
from housectl.cli.settings import SETTINGS
from housectl.errors import ExitStatus
from housectl.project.config import ProjectConfig
from tests.cli.terminal import run_on_terminal
from tests.spaces import GOOD
from tests.strace import inject_fault
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment, example

COMMANDS = sorted(
    [
        *main.COMMANDS,
        *(f"{name} {command}" for name, group in main.GROUPS.items() for command in group.commands),
    ]
)
SLOW = {"kubernetes", "numpy", "onnxruntime", "pandas", "pydantic", "sklearn", "xgboost"}


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    return example(".", tmp_path / "boston", space=GOOD, budget={"trials": 2})


def test_commands_are_complete() -> None:
    built = typer.main.get_command(main.make_app()).commands  # type: ignore[attr-defined]
    assert set(built) == {*main.COMMANDS, *main.GROUPS}
    assert set(COMMANDS) == {
        *("init", "doctor", "render", "tune", "list", "show", "status", "logs", "stop", "delete"),
        *("prune", "compare", "promote", "rollback", "history", "reproduce", "serve", "verify"),
        *("run", "predict", "drift", "explain", "cluster init", "registry status", "registry sync"),
        *("store copy", "store check", "keys add", "keys list", "keys remove"),
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_example_and_json_option(
    command: str, project_with_challenger: ProjectDirectory
) -> None:
    text = project_with_challenger.run_ok(*command.split(), "--help").out
    assert "Example: housectl" in text
    assert "--json" in text


def test_help_imports_no_slow_module() -> None:
    imports = "import sys; from housectl.cli.main import make_app; make_app()"
    code = f"{imports}; print({SLOW!r} & set(sys.modules))"
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert process.stdout == "set()\n"


def test_version_and_completion(project: ProjectDirectory) -> None:
    assert re.fullmatch(r"housectl \d+\.\d+\.\d+\n", project.run_ok("--version").out)
    script = project.run_ok(
        "--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"
    )
    assert "_HOUSECTL_COMPLETE" in script.out
    completion = {"_HOUSECTL_COMPLETE": "complete_bash", "COMP_WORDS": "housectl re"}
    completed = project.run_ok(**completion, COMP_CWORD="1").out.split()
    assert completed == ["render", "reproduce", "registry"]


@pytest.mark.parametrize("name", SETTINGS)
def test_setting_is_field_of_project_file(name: str) -> None:
    model = ProjectConfig
    *parents, last = SETTINGS[name].field.split(".")
    for parent in parents:
        model = model.__pydantic_fields__[parent].annotation  # type: ignore[assignment]
    assert last in model.__pydantic_fields__


def test_flag_precedes_variable_and_variable_precedes_file(project: ProjectDirectory) -> None:
    def trials(*flags: str, **environment: str) -> str:
        plan = project.run("render", *flags, **environment)
        match = re.search(r"# (\d+) trials", plan.out)
        assert match
        return match[1]

    assert trials() == "2"
    assert trials(HOUSECTL_TRIALS="7") == "7"
    assert trials("--trials", "5", HOUSECTL_TRIALS="7") == "5"


def test_rendered_commands_run(project: ProjectDirectory) -> None:
    script = project.run_ok("render", "--name", "by-hand").out
    first = next(line for line in script.splitlines() if line.startswith("python"))
    python = f'python() {{ {sys.executable} "$@"; }}; '
    done = subprocess.run(
        ["sh", "-euc", python + first],
        cwd=project.path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.fullmatch(r"mse=\d+\.\d+", done.stdout.splitlines()[-1])
    assert (project.path / "by-hand" / "0000" / "metrics.json").exists()


@pytest.mark.slow
def test_json_option_prints_only_json_on_stdout(project: ProjectDirectory) -> None:
    for arguments in (["tune", "--name", "one"], ["list"], ["show"], ["status"], ["doctor"]):
        assert isinstance(project.run_ok(*arguments, "--json").json, dict)
    lines = project.run_ok("logs", "--json").out.splitlines()
    assert all(set(json.loads(line)) == {"trial", "line"} for line in lines)
    assert any(json.loads(line)["line"].startswith("mse=") for line in lines)


def test_error_is_json(project: ProjectDirectory) -> None:
    output = project.run("promote", "--json")
    assert output.status == ExitStatus.BUNDLE
    error = output.json["error"]
    assert isinstance(error, dict)
    assert error["reference"] == "no-challenger"
    assert error["status"] == ExitStatus.BUNDLE
    assert "housectl tune" in error["hint"]


@pytest.mark.slow
def test_existing_name_is_rejected_with_hint(project: ProjectDirectory) -> None:
    project.run_ok("tune", "--name", "one")
    output = project.run("tune", "--name", "one")
    assert output.status == ExitStatus.CLUSTER
    assert "housectl tune --resume one" in output.err
    project.run_ok("tune", "--resume", "one")


@pytest.mark.parametrize("name", ["../up", "a/b", "UPPER", "dot.ted", "x" * 41, ""])
def test_invalid_name_is_rejected(project: ProjectDirectory, name: str) -> None:
    output = project.run("tune", "--name", name)
    assert output.status == ExitStatus.USAGE
    assert "Traceback" not in output.err


@pytest.mark.slow
def test_stop_show_prune_and_delete(project: ProjectDirectory) -> None:
    project.run_ok("tune", "--name", "one", "--trials", "4")
    runs = project.path / ".housectl" / "runs" / "one"
    project.run_ok("prune", "one", "--keep-best", "1")
    assert len([path for path in (runs / "outputs").iterdir() if any(path.iterdir())]) == 1
    assert project.run_ok("stop", "one", "--json").json["state"] == "succeeded"
    project.run_ok("delete", "one")
    assert not runs.exists()
    assert project.run("show", "one").status == ExitStatus.USAGE
    project.run_ok("promote")


@pytest.mark.slow
def test_ctrl_c_detaches_from_experiment(project: ProjectDirectory) -> None:
    project.edit_config(space={"max_features": {"min": 0.3, "max": 0.6}, "n_estimators": 300})
    command = subprocess.Popen(
        [HOUSECTL, "tune", "--name", "long", "--trials", "8"],
        cwd=project.path,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stderr is not None
    assert command.stderr.readline().startswith("Preparing long: about ")
    assert "long is running" in command.stderr.readline()
    command.send_signal(signal.SIGINT)
    _, stderr = command.communicate()
    assert command.returncode == ExitStatus.INTERRUPTED
    assert "housectl tune --resume long" in stderr
    assert "Traceback" not in stderr
    assert project.run_ok("status", "long", "--json").json["state"] == "running"
    project.run_ok("stop", "long")
    assert project.run_ok("status", "long", "--json").json["state"] == "stopped"


@pytest.mark.slow
def test_error_names_cause_of_failed_trials(project: ProjectDirectory) -> None:
    project.edit_config(limits={"memory": "1Mi"}, space={**GOOD, "n_estimators": 1000})
    output = project.run("tune", "--name", "starved")
    assert output.status == ExitStatus.NO_USABLE_TRIAL
    assert "out of memory" in output.err
    assert "housectl logs starved --trial" in output.err


@pytest.mark.slow
def test_terminal_shows_live_table(project: ProjectDirectory) -> None:
    text = run_on_terminal(project, "tune")
    assert "assignment" in text
    assert "2/2 trials" in text


@pytest.mark.strace
def test_read_only_project_is_named(project: ProjectDirectory) -> None:
    output = project.run("tune", wrapper=inject_fault("mkdir", "error=EROFS"))
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "Read-only file system" in output.err


def test_missing_project_has_init_as_hint(tmp_path: Path) -> None:
    output = ProjectDirectory(tmp_path).run("tune")
    assert output.status == ExitStatus.USAGE
    assert "housectl init --data FILE.csv --target COLUMN" in output.err


@pytest.mark.slow
def test_unedited_draft_is_tuned_and_promoted(tmp_path: Path) -> None:
    source = example(".", tmp_path / "source").path / "data.csv"
    project = ProjectDirectory(tmp_path)
    project.run_ok("init", "--data", str(source), "--target", "MEDV")
    project.run_ok("tune", "--trials", "3")
    project.run_ok("promote")


# Commands on a local experiment need neither a check of all fields nor the data.
@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (("list",), {"numpy", "pydantic", "rich", "housectl.cli.serving"}),
        (("status", "good"), {"numpy", "pydantic", "rich", "housectl.cli.serving"}),
        (("tune", "--resume", "good"), {"numpy", "rich", "housectl.cli.serving"}),
    ],
    ids=["list", "status", "resume"],
)
def test_command_on_recorded_trials_imports_little(
    arguments: tuple[str, ...], absent: set[str], project_with_challenger: ProjectDirectory
) -> None:
    code = (
        "import atexit, sys; from housectl.cli.main import run; "
        "atexit.register(lambda: print('modules', *sys.modules)); run()"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=project_with_challenger.path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    modules = process.stdout.splitlines()[-1].split()
    assert "housectl.backends.local.backend" in modules
    assert not absent & {*modules}


def test_status_needs_no_other_field_than_backend(
    project_with_challenger: ProjectDirectory, tmp_path: Path
) -> None:
    copy = project_with_challenger.copy(tmp_path / "boston")
    copy.edit_config(seed="many", backend="local")
    assert copy.run_ok("status", "good", "--json").json["state"] == "succeeded"
    copy.edit_config(backend="cloud")
    failed = copy.run("status", "good")
    assert failed.status == ExitStatus.USAGE
    assert "seed: found 'many'" in failed.err
    assert "backend: found 'cloud'" in failed.err


@pytest.mark.parametrize("fields", [{"seed": 7}, {}])
def test_resume_reports_changed_settings(
    fields: dict[str, object], project_with_challenger: ProjectDirectory, tmp_path: Path
) -> None:
    copy = project_with_challenger.copy(tmp_path / "boston")
    copy.edit_config(**fields)
    resumed = copy.run_ok("tune", "--resume", "good")
    assert ("with its original settings" in resumed.err) is ("seed" in fields)
