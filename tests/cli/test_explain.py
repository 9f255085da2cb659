import re
import shlex
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tools.project_directory import ROOT, ProjectDirectory

PAGE = (ROOT / "docs" / "errors.md").read_text()
REFERENCES = re.findall(r"^## ([a-z-]+)$", PAGE, flags=re.MULTILINE)


@pytest.fixture
def directory(tmp_path: Path) -> ProjectDirectory:
    """Return an empty directory: no project is needed."""
    return ProjectDirectory(tmp_path)


def test_error_names_the_command_that_explains_it(directory: ProjectDirectory) -> None:
    failed = directory.run("tune")
    (more,) = re.findall(r"^more:  (.*)$", failed.err, flags=re.MULTILINE)
    assert more.endswith(
        "# https://github.com/housectl/housectl/tree/main/docs/errors.md#project-file"
    )
    _, *arguments = shlex.split(more, comments=True)
    assert directory.run_ok(*arguments).out.startswith("Status 2. `housectl.yaml` is missing")


def test_hint_of_an_invalid_project_file_has_the_url_of_its_page(
    directory: ProjectDirectory,
) -> None:
    directory.write({"nme": "boston"})
    assert "https://github.com/housectl/housectl/tree/main/docs/project-file.md" in (
        directory.run("tune").err
    )


def test_each_reference_is_listed_and_explained(directory: ProjectDirectory) -> None:
    listed = directory.run_ok("explain", "--json").json["references"]
    assert isinstance(listed, list)
    assert sorted(row["reference"] for row in listed) == sorted(REFERENCES)
    assert all(row["meaning"].endswith(".") for row in listed)
    assert [row["status"] for row in listed] == sorted(row["status"] for row in listed)


def test_section_has_absolute_links_and_ends_before_the_next(directory: ProjectDirectory) -> None:
    explained = directory.run_ok("explain", "task-failed", "--json").json
    text = explained["document"]
    assert isinstance(text, str)
    assert text.startswith("Status 4. ")
    assert "](https://github.com/housectl/housectl/tree/main/docs/errors.md#seal)" in text
    assert "## " not in text
    assert (explained["reference"], explained["status"]) == ("task-failed", 4)


@pytest.mark.parametrize(
    ("reference", "hint"),
    [("sever-unreachable", "housectl explain server-unreachable"), ("42", "housectl explain ")],
)
def test_unknown_reference_suggests_the_closest(
    directory: ProjectDirectory, reference: str, hint: str
) -> None:
    output = directory.run("explain", reference)
    assert output.status == ExitStatus.USAGE
    assert hint in output.err
