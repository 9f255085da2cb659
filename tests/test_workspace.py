import subprocess
import sys
from pathlib import Path

import pytest

from housectl.errors import ProjectError, UsageError
from housectl.workspace import find_workspace


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "houses"
    root.mkdir()
    (root / "housectl.yaml").write_text("name: houses\n")
    return root


def test_project_is_found_from_subdirectory(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subdirectory = project / "notes" / "2026"
    subdirectory.mkdir(parents=True)
    monkeypatch.chdir(subdirectory)

    workspace = find_workspace(None, None)

    assert workspace.project_file == project / "housectl.yaml"
    assert workspace.store.value == project / ".housectl" / "store"
    assert workspace.inputs == project / ".housectl" / "inputs"
    assert workspace.runs == project / ".housectl" / "runs"


@pytest.mark.parametrize("argument", [".", "housectl.yaml"])
def test_project_is_given_by_file_or_directory(project: Path, argument: str) -> None:
    assert find_workspace(project / argument, None).root == project


def test_parents_of_explicit_directory_are_not_searched(project: Path) -> None:
    subdirectory = project / "below"
    subdirectory.mkdir()
    with pytest.raises(ProjectError, match=str(subdirectory)) as caught:
        find_workspace(subdirectory, None)
    assert caught.value.hint == "housectl init --data FILE.csv --target COLUMN"


def test_missing_project_file_has_init_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProjectError, match="or its parent directories") as caught:
        find_workspace(None, None)
    assert "housectl init" in caught.value.hint


def test_store_comes_from_project_file(project: Path) -> None:
    (project / "housectl.yaml").write_text("store: ../champions\n")
    assert Path(str(find_workspace(project, None).store)).resolve() == project.parent / "champions"


def test_explicit_store_overrides_file_and_is_relative_to_current_directory(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "housectl.yaml").write_text("store: ../champions\n")
    monkeypatch.chdir(project.parent)
    assert find_workspace(project, "mine").store.value == project.parent / "mine"


def test_url_of_a_store_is_kept(project: Path) -> None:
    (project / "housectl.yaml").write_text("store: s3://bucket/houses/\n")
    assert str(find_workspace(project, None).store) == "s3://bucket/houses"
    assert str(find_workspace(project, "gs://bucket").store) == "gs://bucket"


def test_invalid_url_in_project_file_names_the_file(project: Path) -> None:
    (project / "housectl.yaml").write_text("store: ftp://bucket/houses\n")
    with pytest.raises(ProjectError, match="the scheme ftp:// is unsupported") as caught:
        find_workspace(project, None)
    assert str(project / "housectl.yaml") in caught.value.message
    with pytest.raises(UsageError, match="the scheme ftp:// is unsupported"):
        find_workspace(project, "ftp://bucket/houses")


@pytest.mark.parametrize("text", ["", "a: [", "[1]", "store: 3", "day: 2026-02-30", "\x00", "é: 1"])
def test_other_problems_of_project_file_are_ignored(project: Path, text: str) -> None:
    (project / "housectl.yaml").write_text(text, encoding="latin-1")
    assert find_workspace(project, None).store.value == project / ".housectl" / "store"


def test_merge_bomb_ends_quickly(project: Path) -> None:
    lists = (f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 13))
    (project / "housectl.yaml").write_text("a0: &a0 {x: 1}\n" + "".join(lists))
    assert find_workspace(project, None).store.value == project / ".housectl" / "store"


def test_find_workspace_imports_no_slow_libraries(project: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from housectl.workspace import find_workspace; "
        "find_workspace(Path(sys.argv[1]), None); "
        "print(*{'pydantic', 'pandas', 'msgspec', 'numpy', 'onnxruntime'} & sys.modules.keys())"
    )
    completed = subprocess.run(
        [sys.executable, "-c", program, str(project)], capture_output=True, text=True, check=True
    )
    assert completed.stdout.split() == []
