"""The verdict as lines, as a Markdown table, and in the summary of a job in GitHub Actions."""

import os
import re
import shutil
from pathlib import Path

import pytest

from housectl.cli.markdown import verdict_table
from housectl.errors import ExitStatus
from tools.project_directory import ProjectDirectory

pytestmark = pytest.mark.slow

ROWS = [
    *("verdict", "---", "challenger", "champion", "linear model", "mean of the targets"),
    "MSE over the folds minus the champion's",
    "MSE over the folds minus the linear model's",
    *("gate", "reason"),
]


@pytest.fixture
def project(project_with_challenger: ProjectDirectory, tmp_path: Path) -> ProjectDirectory:
    return project_with_challenger.copy(tmp_path / "boston")


def first_column(markdown: str) -> list[str]:
    lines = markdown.strip().splitlines()
    assert all(line.startswith("| ") and line.endswith(" |") for line in lines), markdown
    assert {line.count("|") - line.count(r"\|") for line in lines} == {3}, markdown
    return [line.split("|")[1].strip() for line in lines]


def test_compare_prints_a_table_and_adds_it_to_the_summary(
    project: ProjectDirectory, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("Earlier line\n\n")
    output = project.run_ok("compare", "--markdown", GITHUB_STEP_SUMMARY=str(summary))
    assert first_column(output.out) == ROWS
    assert "| verdict | the challenger is better |" in output.out
    assert summary.read_text() == f"Earlier line\n\n{output.out}\n"


def test_compare_prints_lines_and_tables_without_empty_fields(
    project: ProjectDirectory,
) -> None:
    lines, errors, differences = project.run_ok("compare").out.split("\n\n")
    assert first_cells(lines) == ["challenger", "champion", "gate", "accepted", "reason"]
    names = ["challenger", "champion", "linear model", "mean of the targets"]
    assert first_cells(errors) == ["held-out rows", *names]
    assert first_cells(differences) == [
        "folds",
        *(f"challenger minus {name}" for name in names[1:]),
    ]


def first_cells(table: str) -> list[str]:
    return [re.split(r"  +", line, maxsplit=1)[0] for line in table.strip().splitlines()]


def test_promote_adds_its_verdict_and_prints_fields(
    project: ProjectDirectory, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.md"
    output = project.run_ok("promote", "--json", GITHUB_STEP_SUMMARY=str(summary))
    assert output.json["promoted"] is True
    assert first_column(summary.read_text()) == ROWS
    tie = project.run("compare", "--markdown", "--json")
    assert tie.status == ExitStatus.CHAMPION_KEPT
    assert tie.json["accepted"] is False
    assert "| verdict | the champion stays |" in str(tie.json["document"])


def test_first_challenger_has_no_champion(project: ProjectDirectory) -> None:
    shutil.rmtree(project.store / "history")
    output = project.run_ok("compare", "--markdown")
    assert first_column(output.out) == [row.replace("champion's", "mean's") for row in ROWS]
    assert "| champion | none |" in output.out


@pytest.mark.parametrize("kind", ["directory", "missing", "pipe"])
def test_summary_that_is_not_writable_fails_no_command(
    project: ProjectDirectory, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "summary"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = tmp_path / "no directory" / "summary"
    output = project.run_ok("compare", "--json", GITHUB_STEP_SUMMARY=str(path))
    assert output.json["accepted"] is True
    assert f"The job's summary was not written to {path}" in output.err


def test_table_escapes_text_from_elsewhere(project: ProjectDirectory) -> None:
    import housectl

    comparison = housectl.open(project.path).compare()
    object.__setattr__(comparison.verdict, "reason", "a | b\n<img src=x> # c")
    table = verdict_table(comparison)
    assert first_column(table) == ROWS
    assert table.endswith(r"| reason | a \| b &lt;img src=x> # c |")
