import shlex
from pathlib import Path

import pytest

from housectl.cli.hints import repeat_locations
from housectl.cli.main import COMMANDS, GROUPS
from tools.project_directory import example

WITHOUT_PROJECT = {"init", "explain"}
PROJECT, STORE = Path("a project"), "it's/a store"
ARGUMENTS = {"project": PROJECT, "store": STORE, "registry_url": None, "name": "NAME"}


@pytest.mark.parametrize(
    "command",
    [
        *sorted(COMMANDS.keys() - WITHOUT_PROJECT),
        *(
            f"{group} {name}"
            for group in ("cluster", "registry")
            for name in GROUPS[group].commands
        ),
    ],
)
def test_hint_repeats_project_and_store(command: str) -> None:
    hint = repeat_locations(f"housectl {command} NAME   # why", ARGUMENTS)
    words = shlex.split(hint, comments=True)
    assert words == [
        *("housectl", *command.split()),
        *("-C", str(PROJECT), "--store", STORE, "NAME"),
    ]


@pytest.mark.parametrize(
    "hint", ["housectl init --data FILE.csv", "df -h .   # housectl needs space", "housectl tunes"]
)
def test_other_hints_are_kept(hint: str) -> None:
    assert repeat_locations(hint, ARGUMENTS) == hint


def test_hint_without_options_is_kept() -> None:
    assert repeat_locations("housectl tune", {"project": None}) == "housectl tune"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("registry sync", ["--registry-url", "http://host", "--registry-name", "a name"]),
        ("doctor", ["--registry-url", "http://host", "--registry-name", "a name"]),
        ("history", []),
    ],
)
def test_hint_repeats_the_registry(command: str, options: list[str]) -> None:
    arguments = {"registry_url": "http://host", "registry_name": "a name"}
    hint = repeat_locations(f"housectl {command}", arguments)
    assert shlex.split(hint) == ["housectl", *command.split(), *options]


def test_option_of_the_hint_is_not_repeated() -> None:
    hint = "housectl history --store ADDRESS   # another one"
    assert repeat_locations(hint, {"store": STORE}) == hint


@pytest.mark.parametrize(
    "url", ["s3://key:secret@bucket/houses", "S3://bucket/houses?signature=secret", "s3://b#secret"]
)
def test_secret_in_a_url_is_not_repeated(url: str) -> None:
    assert repeat_locations("housectl doctor", {"store": url}) == "housectl doctor"


def test_error_of_a_command_repeats_its_options(tmp_path: Path) -> None:
    project = example(".", tmp_path / "a project")
    elsewhere = type(project)(tmp_path)
    output = elsewhere.run("rollback", "-C", "a project", "--store", "a store")
    assert output.status == 5
    hint = next(line for line in output.err.splitlines() if line.startswith("hint:"))
    assert "housectl promote -C 'a project' --store 'a store'" in hint
