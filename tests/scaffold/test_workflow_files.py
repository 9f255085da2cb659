"""`init --github` in Git repositories that have nothing but a CSV file."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from housectl.errors import ExitStatus
from tools.project_directory import HOUSECTL, ROOT, ProjectDirectory

pytestmark = pytest.mark.slow

WORKFLOWS = {"check.yaml", "deploy.yaml", "retrain.yaml"}
SCRIPTS = {"remote.sh", "rollout.sh", "housectl-server.service"}
INIT = ("init", "--github", "--data", "houses.csv", "--target", "MEDV")


@pytest.fixture
def repository(tmp_path: Path) -> ProjectDirectory:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    shutil.copy(ROOT / "data" / "boston.csv", tmp_path / "houses.csv")
    return ProjectDirectory(tmp_path)


def lint(repository: Path) -> None:
    workflows = sorted(map(str, (repository / ".github" / "workflows").iterdir()))
    tools = HOUSECTL.parent
    subprocess.run([tools / "actionlint", *workflows], cwd=repository, check=True)
    zizmor = ("zizmor", "--offline", "--no-progress", "--persona", "pedantic", "--no-config")
    subprocess.run([tools / zizmor[0], *zizmor[1:], *workflows], cwd=repository, check=True)


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_repository_with_a_csv_gets_workflows_without_findings(
    repository: ProjectDirectory,
) -> None:
    output = repository.run_ok(*INIT, "--json")
    workflows = repository.path / ".github" / "workflows"
    assert names(workflows) == WORKFLOWS
    assert names(repository.path / "deploy") == SCRIPTS
    assert (repository.path / "deploy" / "remote.sh").stat().st_mode & 0o111
    assert len(output.json["workflows"]) == len(WORKFLOWS | SCRIPTS)  # type: ignore[arg-type]
    lint(repository.path)
    retrain = yaml.safe_load((workflows / "retrain.yaml").read_text())
    # YAML 1.1 reads the key `on` as a truth value.
    assert retrain[True]["push"]["paths"] == ["houses.csv", "housectl.yaml"]
    assert retrain["jobs"]["train"]["defaults"]["run"]["working-directory"] == "."


def test_project_in_a_directory_below_the_repository(repository: ProjectDirectory) -> None:
    data = repository.path / "new houses [1].csv"
    (repository.path / "houses.csv").rename(data)
    repository.run_ok(
        *("init", "--data", data.name, "--target", "MEDV", "--output-dir", "models/houses")
    )
    repository.run_ok("init", "--github", "--output-dir", "models/houses")
    lint(repository.path)
    workflows = repository.path / ".github" / "workflows"
    retrain = yaml.safe_load((workflows / "retrain.yaml").read_text())
    assert retrain[True]["push"]["paths"] == [
        "new houses *1*.csv",
        "models/houses/housectl.yaml",
    ]
    deploy = yaml.safe_load((workflows / "deploy.yaml").read_text())
    assert deploy[True]["push"]["paths"] == ["models/houses/deploy_details.json"]
    assert deploy["jobs"]["deploy"]["defaults"]["run"]["working-directory"] == "models/houses"
    assert names(repository.path / "models" / "houses" / "deploy") == SCRIPTS


def test_existing_file_prevents_all_writes(repository: ProjectDirectory) -> None:
    script = repository.path / "deploy" / "rollout.sh"
    script.parent.mkdir()
    script.write_text("echo mine\n")
    output = repository.run(*INIT)
    assert output.status == ExitStatus.USAGE
    assert f"{script} already exists." in output.err
    assert f"mv {script} {script}.old" in output.err
    assert names(repository.path) == {".git", "deploy", "houses.csv"}
    assert script.read_text() == "echo mine\n"


def test_existing_project_file_prevents_all_writes(repository: ProjectDirectory) -> None:
    repository.run_ok("init", "--data", "houses.csv", "--target", "MEDV")
    output = repository.run(*INIT)
    assert output.status == ExitStatus.USAGE
    assert "housectl.yaml already exists" in output.err
    assert names(repository.path) == {".git", "houses.csv", "housectl.yaml"}


def test_directory_outside_of_a_repository_is_rejected(repository: ProjectDirectory) -> None:
    shutil.rmtree(repository.path / ".git")
    output = repository.run(*INIT)
    assert output.status == ExitStatus.USAGE
    assert f"git init {repository.path}" in output.err
    assert names(repository.path) == {"houses.csv"}


def test_data_outside_of_the_repository_is_rejected(
    repository: ProjectDirectory, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("elsewhere") / "houses.csv"
    shutil.move(repository.path / "houses.csv", data)
    output = repository.run("init", "--github", "--data", str(data), "--target", "MEDV")
    assert output.status == ExitStatus.USAGE
    assert f"cp {data} {repository.path}" in output.err


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("init",), ExitStatus.USAGE),
        (("init", "--data", "houses.csv"), ExitStatus.USAGE),
        (("init", "--github"), ExitStatus.USAGE),
        (("init", "--github", "--data", "houses.csv"), ExitStatus.USAGE),
        (("init", "--github", "--target", "MEDV"), ExitStatus.USAGE),
    ],
)
def test_missing_options_are_named(
    repository: ProjectDirectory, arguments: tuple[str, ...], status: ExitStatus
) -> None:
    output = repository.run(*arguments)
    assert output.status == status
    assert "housectl init --data" in output.err
