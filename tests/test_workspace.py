import subprocess
import sys
from pathlib import Path

import pytest

from housectl.errors import ProjectError
from housectl.workspace import find_workspace


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "houses"
    root.mkdir()
    (root / "housectl.yaml").write_text("name: houses\n")
    return root


def test_the_project_is_found_from_a_directory_below(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = project / "notes" / "2026"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)

    found = find_workspace(None, None)

    assert found.project_file == project / "housectl.yaml"
    assert found.store == project / ".housectl" / "store"
    assert found.inputs == project / ".housectl" / "inputs"
    assert found.runs == project / ".housectl" / "runs"


@pytest.mark.parametrize("named", [".", "housectl.yaml"])
def test_a_project_is_named_by_its_file_or_its_directory(project: Path, named: str) -> None:
    assert find_workspace(project / named, None).root == project


def test_an_explicit_directory_is_not_left(project: Path) -> None:
    below = project / "below"
    below.mkdir()
    with pytest.raises(ProjectError, match=str(below)) as caught:
        find_workspace(below, None)
    assert caught.value.hint == "housectl init --data FILE.csv --target COLUMN"


def test_without_a_file_the_hint_drafts_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProjectError, match="or above") as caught:
        find_workspace(None, None)
    assert "housectl init" in caught.value.hint


def test_the_store_is_that_of_the_file(project: Path) -> None:
    (project / "housectl.yaml").write_text("store: ../champions\n")
    assert find_workspace(project, None).store.resolve() == project.parent / "champions"


def test_a_named_store_wins_and_is_relative_to_here(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "housectl.yaml").write_text("store: ../champions\n")
    monkeypatch.chdir(project.parent)
    assert find_workspace(project, Path("mine")).store == project.parent / "mine"


@pytest.mark.parametrize("text", ["", "a: [", "[1]", "store: 3", "day: 2026-02-30", "\x00", "é: 1"])
def test_other_problems_of_the_file_do_not_matter_here(project: Path, text: str) -> None:
    (project / "housectl.yaml").write_text(text, encoding="latin-1")
    assert find_workspace(project, None).store == project / ".housectl" / "store"


def test_finding_a_workspace_imports_nothing_slow(project: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from housectl.workspace import find_workspace; "
        "find_workspace(Path(sys.argv[1]), None); "
        "print(*{'pydantic', 'pandas', 'msgspec', 'numpy', 'onnxruntime'} & sys.modules.keys())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(project)], capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == []
