"""Output on streams that are closed, full or not UTF-8, and of texts that could harm a terminal."""

import json
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tests.cli.terminal import run_on_terminal
from tools.project_directory import CommandOutput, ProjectDirectory

HARMFUL = "caf\xe9 :x: [bold red]b[/] \x1b[31mred\x9b2J\r\n\u202eback"
ESCAPED = r"caf\xe9 :x: [bold red]b[/] \x1b[31mred\x9b2J\r\n\u202eback"
SHOWN = ESCAPED.replace(r"\xe9", "\xe9")


@pytest.fixture(scope="module")
def project(
    project_with_challenger: ProjectDirectory, tmp_path_factory: pytest.TempPathFactory
) -> ProjectDirectory:
    """Boston with a champion that was rolled back for a reason with control characters."""
    project = project_with_challenger.copy(tmp_path_factory.mktemp("output") / "boston")
    project.run_ok("promote")
    project.run_ok("rollback", "--reason", HARMFUL)
    return project


def run_in_shell(project: ProjectDirectory, script: str, *arguments: str) -> CommandOutput:
    """Run a shell script in which `"$@"` is a command of housectl."""
    return project.run(*arguments, wrapper=("bash", "-c", script, "bash"))


@pytest.mark.parametrize("redirection", [">&-", "<&-", "2>&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize("arguments", [("history",), ("list", "--json"), ("--help",)])
def test_closed_stream_is_like_dev_null(
    project: ProjectDirectory, redirection: str, arguments: tuple[str, ...]
) -> None:
    output = run_in_shell(project, f'"$@" {redirection}', *arguments)
    assert (output.status, output.err) == (0, "")


@pytest.mark.parametrize(
    "arguments", [("history",), ("history", "--json"), ("render",), ("logs",), ("--help",)]
)
def test_closed_pipe_ends_command_quietly(
    project: ProjectDirectory, arguments: tuple[str, ...]
) -> None:
    output = run_in_shell(project, '"$@" | true; exit ${PIPESTATUS[0]}', *arguments)
    # The shell may end `true` after the output is in the pipe.
    assert output.status in {ExitStatus.OK, ExitStatus.PIPE_CLOSED}
    assert output.err == ""


def test_closed_pipe_of_messages_does_not_end_command(project: ProjectDirectory) -> None:
    output = run_in_shell(project, 'exec 3>&1; "$@" 2>&1 >&3 | true', "doctor", "--json")
    assert output.json["checks"]


@pytest.mark.parametrize("arguments", [("history",), ("history", "--json"), ("--help",)])
def test_full_disk_of_stdout_is_reported(
    project: ProjectDirectory, arguments: tuple[str, ...]
) -> None:
    output = run_in_shell(project, '"$@" > /dev/full', *arguments)
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert "Traceback" not in output.err


def test_full_disk_of_stderr_does_not_end_command(project: ProjectDirectory) -> None:
    output = run_in_shell(project, '"$@" 2> /dev/full', "show", "no-such-experiment")
    assert output.status == ExitStatus.USAGE


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", ESCAPED), ("utf-8", SHOWN)])
def test_text_outside_encoding_is_escaped(
    project: ProjectDirectory, encoding: str, shown: str
) -> None:
    assert shown in project.run_ok("history", PYTHONIOENCODING=encoding).out
    entries = project.run_ok("history", "--json", PYTHONIOENCODING=encoding).json["history"]
    assert isinstance(entries, list)
    assert entries[0]["reason"] == HARMFUL


def test_json_is_plain_ascii_without_control_characters(project: ProjectDirectory) -> None:
    text = project.run_ok("history", "--json").out
    assert text.isascii()
    assert text.replace("\n", "").isprintable()


def test_terminal_shows_control_characters_and_markup_as_text(project: ProjectDirectory) -> None:
    shown = "".join(run_on_terminal(project, "history").split())
    for word in SHOWN.split():
        assert word in shown
    assert "\x9b" not in shown
    assert "\x1b[31m" not in shown


def test_error_shows_control_characters_and_markup_as_text(project: ProjectDirectory) -> None:
    output = project.run("rollback", "--to", HARMFUL.replace("\n", ""))
    assert output.status == ExitStatus.USAGE
    assert "[bold red]b[/]" in output.err
    assert ":x:" in output.err
    assert output.err.replace("\n", "").isprintable()


def test_log_of_trial_shows_control_characters_as_text(
    project: ProjectDirectory, tmp_path: Path
) -> None:
    changed = project.copy(tmp_path / "boston")
    logs = changed.path / ".housectl" / "runs" / "good" / "logs"
    for log in logs.iterdir():
        log.write_text(f"\x1b]0;title\x07 {HARMFUL}\n", encoding="utf-8")
    output = changed.run_ok("logs", "good").out
    assert r"\x1b]0;title\x07" in output
    assert output.replace("\n", "").isprintable()


def test_reason_that_is_not_utf8_is_rejected(project: ProjectDirectory) -> None:
    output = project.run("rollback", "--reason", "caf\udce9", "--json")
    assert output.status == ExitStatus.USAGE
    error = output.json["error"]
    assert isinstance(error, dict)
    assert error["message"] == r"The reason 'caf\udce9' is not UTF-8."


USAGE_ERRORS = {
    "unknown option": ("tune", "--no-such-option"),
    "unknown command": ("tnue",),
    "missing argument": ("stop",),
    "missing value": ("rollback", "--to"),
    "extra argument": ("list", "extra"),
    "not a number": ("tune", "--trials", "many"),
    "out of range": ("prune", "good", "--keep-best", "0"),
    "not a choice": ("cluster", "init", "--overlay", "other"),
    "option without command": ("--version=1",),
}


@pytest.mark.parametrize("arguments", USAGE_ERRORS.values(), ids=USAGE_ERRORS)
def test_usage_error_is_json(project: ProjectDirectory, arguments: tuple[str, ...]) -> None:
    assert project.run(*arguments).out == ""
    output = project.run(arguments[0], "--json", *arguments[1:])
    assert output.status == ExitStatus.USAGE
    error = json.loads(output.out)["error"]
    assert error["reference"] == "usage"
    assert error["hint"].endswith("--help")
    assert output.err == ""


def test_missing_data_of_init_is_json(project: ProjectDirectory) -> None:
    output = project.run("init", "--json")
    assert output.status == ExitStatus.USAGE
    assert json.loads(output.out)["error"]["hint"].startswith("housectl init --data")
    assert output.err == ""


@pytest.mark.parametrize(
    "flags",
    [("--trials", "0"), ("--space", "big"), ("--family", "forest"), ("--workers", "9" * 330)],
)
def test_wrong_flag_is_no_problem_of_project_file(
    project: ProjectDirectory, flags: tuple[str, str]
) -> None:
    output = project.run("tune", *flags)
    assert output.status == ExitStatus.USAGE
    assert output.err.startswith(f"error: Invalid value of {flags[0]}")
    assert "housectl explain usage" in output.err
    variable = f"HOUSECTL_{flags[0].removeprefix('--').upper()}"
    assert variable in project.run("tune", **{variable: flags[1]}).err
