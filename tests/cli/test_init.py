"""The command `init`: its table of choices, and hints that work when they are pasted."""

import os
import shlex
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tests.docs.running import run_in_bash
from tests.scaffold.case_files import BODY, PLAIN, changed, pick, with_column
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment

INIT = ("init", "--data", "houses.csv", "--target", "price")


def write_houses(directory: Path, content: str | bytes) -> ProjectDirectory:
    data = content if isinstance(content, bytes) else content.encode()
    (directory / "houses.csv").write_bytes(data)
    return ProjectDirectory(directory)


def test_table_has_a_row_with_choice_and_reason_for_each_column(tmp_path: Path) -> None:
    project = write_houses(tmp_path, with_column("town", pick("Ulm", "Bonn", "NA")))
    output = project.run_ok(*INIT)
    rows = [line.split(maxsplit=2) for line in output.out.splitlines()]
    assert rows[:3] == [
        ["written", "housectl.yaml"],
        ["csv", 'missing="",', "NA"],
        ["column", "choice", "reason"],
    ]
    assert [row[:2] for row in rows[3:]] == [
        ["town", "category"],
        ["area", "number"],
        ["rooms", "number"],
        ["score", "number"],
        ["price", "target"],
    ]
    assert "2 different texts, which are published: Bonn, Ulm; " in rows[3][2]
    assert "To change a choice, edit housectl.yaml" in output.err


def test_json_has_format_columns_and_notes(tmp_path: Path) -> None:
    gaps = changed("rooms", lambda row, cell: "-999" if row % 9 == 3 else cell)
    project = write_houses(tmp_path, gaps.replace(",", ";"))
    output = project.run_ok(*INIT, "--output-dir", "new", "--json")
    assert output.json["csv"] == {"separator": ";"}
    assert output.json["columns"][1] == {
        "column": "rooms",
        "choice": "number",
        "reason": "numbers from -999 to 5",
    }
    (note,) = output.json["notes"]
    assert note.startswith("13 cells of rooms are -999")
    assert "housectl tune -C new" in output.err


@pytest.mark.parametrize(
    "content",
    [PLAIN.replace("area", "fl\xe4che").encode("latin-1"), BODY],
    ids=["latin-1", "header"],
)
def test_hint_for_an_unreadable_file_drafts_a_project(tmp_path: Path, content: str | bytes) -> None:
    project = write_houses(tmp_path, content)
    rejected = project.run(*INIT, "--json")
    assert rejected.status == ExitStatus.USAGE
    path = f"{HOUSECTL.parent}{os.pathsep}{os.environ['PATH']}"
    completed = run_in_bash(
        rejected.json["error"]["hint"], project, clean_environment() | {"PATH": path}
    )
    assert completed.returncode == 0, completed.stderr
    assert (tmp_path / "housectl.yaml").exists()


def test_unknown_encoding_is_rejected(tmp_path: Path) -> None:
    rejected = write_houses(tmp_path, PLAIN).run(*INIT, "--encoding", "klingon")
    assert rejected.status == ExitStatus.USAGE
    assert "The encoding 'klingon' is unknown." in rejected.err


def test_parquet_file_is_drafted(tmp_path: Path) -> None:
    from pyarrow import csv, parquet

    write_houses(tmp_path, with_column("town", pick("Ulm", "Bonn", "")))
    parquet.write_table(csv.read_csv(tmp_path / "houses.csv"), tmp_path / "houses.parquet")
    arguments = shlex.split("init --data houses.parquet --target price --json")
    output = ProjectDirectory(tmp_path).run_ok(*arguments)
    choices = {each["column"]: each["choice"] for each in output.json["columns"]}
    assert output.json["csv"] == {}
    assert choices["town"] == "category"
    assert choices["area"] == "number"
