"""The groups of checks that a change needs, in real Git repositories."""

import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tools.changed_groups import ALL, RULES, Group, changed_files, groups_of
from tools.project_directory import ROOT

RUN_MAIN = (
    "import sys; sys.path[:0] = '.'; from tools.changed_groups import main; main(sys.argv[1:])"
)
# Workflows write the files that this rule is for.
OF_WRITTEN_FILES = {"deploy/*.json"}


def git(repository: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    process = subprocess.run(
        ["git", *identity, *arguments], cwd=repository, check=True, capture_output=True, text=True
    )
    return process.stdout.strip()


def commit(repository: Path, *names: str) -> str:
    for name in names:
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n")
    git(repository, "add", ".")
    git(repository, "commit", "--message", "Change", "--allow-empty")
    return git(repository, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--initial-branch", "main")
    commit(tmp_path, "README.md", "server/app.py")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("docs/katib.md", {Group.DOCS}),
        ("README.md", {Group.DOCS}),
        ("trainer/housectl_trainer/sealing/seal.py", ALL),
        ("src/housectl/store/local.py", ALL),
        ("server/housectl_server/app.py", {Group.SERVER, Group.CLUSTER, Group.DOCS}),
        ("k8s/base/pvc.yaml", {Group.TRAINING, Group.CLUSTER, Group.DOCS}),
        ("tests/cluster/test_katib.py", {Group.CLUSTER}),
        ("requirements/dev.txt", ALL),
        (".github/workflows/ci.yaml", ALL),
        ("deploy/deploy_details.json", set()),
        ("a new/directory", ALL),
    ],
)
def test_groups_of_a_file(name: str, groups: set[Group]) -> None:
    assert groups_of([name]) == groups


def test_groups_of_several_files_are_their_union() -> None:
    assert groups_of([]) == set()
    assert groups_of(["docs/katib.md", "tests/cluster/pods.py"]) == {Group.DOCS, Group.CLUSTER}


def test_changes_of_a_branch_are_listed_without_those_of_its_base(repository: Path) -> None:
    git(repository, "switch", "--create", "topic")
    commit(repository, "docs/späße a.md")
    git(repository, "switch", "main")
    base = commit(repository, "trainer/seal.py")
    git(repository, "merge", "--no-edit", "topic")
    assert changed_files(base, repository) == ["docs/späße a.md"]


def test_a_moved_file_belongs_to_both_groups(repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD")
    git(repository, "mv", "server", "docs")
    commit(repository)
    assert changed_files(base, repository) == ["docs/app.py", "server/app.py"]


@pytest.mark.parametrize("base", ["", "0" * 40, "--help", "gone"])
def test_unknown_base_has_no_list_of_changes(repository: Path, base: str) -> None:
    assert changed_files(base, repository) is None


def test_command_prints_a_line_for_each_group_without_installed_packages() -> None:
    process = subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUN_MAIN, "0" * 40],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert process.stdout == "training=true\nserver=true\ncluster=true\ndocs=true\n"


def test_each_rule_decides_about_a_file_of_the_repository() -> None:
    names = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    deciding = {
        next((pattern for pattern, _ in RULES if fnmatchcase(name, pattern)), None)
        for name in names
    }
    assert {pattern for pattern, _ in RULES} - deciding == OF_WRITTEN_FILES
