"""The examples of docs/pipelines.md for other engines, run by these engines where they work here.

Argo Workflows needs a cluster of its own: its manifest is parsed, and its commands run in order.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import DOCS, blocks
from tests.spaces import GOOD, POOR
from tests.test_end_to_end import serving
from tools.project_directory import HOUSECTL, ROOT, ProjectDirectory, clean_environment, example
from tools.server_process import free_port

PAGE = DOCS / "pipelines.md"
CRONJOB = ROOT / "k8s" / "components" / "schedule" / "cronjob.yaml"
FLOW = ROOT / "examples" / "pipelines" / "housectl_flow.py"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    """A project after a whole run up to the promotion; tests work on copies."""
    project = new_project(tmp_path_factory.mktemp("pipeline"))
    project.run_ok("run", "--to", "promote")
    return project


@pytest.fixture
def project(promoted: ProjectDirectory, tmp_path: Path) -> ProjectDirectory:
    return promoted.copy(tmp_path / "houses")


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    return clean_environment() | {
        "HOME": str(tmp_path),
        "PATH": f"{HOUSECTL.parent}{os.pathsep}{os.environ['PATH']}",
        "HOUSECTL_P99_MS": "5000",
    }


@pytest.fixture
def url(project: ProjectDirectory) -> Iterator[str]:
    """The URL of the project's server."""
    with serving(project, free_port()) as url:
        yield url


def new_project(directory: Path) -> ProjectDirectory:
    return example(".", directory / "houses", space=GOOD, budget={"trials": 2})


def manifests(kind: str) -> Iterator[dict[str, Any]]:
    for block in blocks(PAGE, "yaml"):
        yield from (each for each in yaml.safe_load_all(block) if each["kind"] == kind)


def run_in_shell(
    command: str, directory: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    completed = subprocess.run(
        ["sh", "-ec", command],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return completed


def champions(project: ProjectDirectory) -> int:
    entries = project.run_ok("history", "--json").json["history"]
    assert isinstance(entries, list)
    return len(entries)


def test_cron_workflow_has_only_fields_of_argo() -> None:
    from hera.workflows.models import CronWorkflow

    (manifest,) = manifests("CronWorkflow")
    # The model drops unknown fields.
    parsed = CronWorkflow.model_validate(manifest)
    assert parsed.model_dump(mode="json", by_alias=True, exclude_unset=True) == manifest


def test_argo_tasks_run_the_pipeline(tmp_path: Path, environment: Mapping[str, str]) -> None:
    (manifest,) = manifests("CronWorkflow")
    dag, run = manifest["spec"]["workflowSpec"]["templates"]
    source, project = new_project(tmp_path / "source"), ProjectDirectory(tmp_path / "project")
    project.path.mkdir()
    port = free_port()
    for task in dag["dag"]["tasks"]:
        (parameter,) = task["arguments"]["parameters"]
        (script,) = run["container"]["args"]
        command = script.replace("/source", str(source.path)).replace(
            "{{inputs.parameters.last-step}}", parameter["value"]
        )
        assert "{{" not in command
        if task["name"] == "verify":
            with serving(project, port) as url:
                run_in_shell(command, project.path, {**environment, "HOUSECTL_URL": url})
        else:
            run_in_shell(command, project.path, environment)
    assert champions(project) == 1


def test_crontab_and_makefile_find_nothing_to_do(
    project: ProjectDirectory, environment: Mapping[str, str], url: str
) -> None:
    (crontab, *_) = blocks(PAGE, "text")
    variables = {**environment, "HOUSECTL_URL": url}
    _, command = crontab.strip().split("  ", 1)
    run_in_shell(command, project.path.parent, variables)
    assert (project.path.parent / "houses.log").read_text()
    (makefile,) = blocks(PAGE, "make")
    (project.path / "Makefile").write_text(makefile)
    made = run_in_shell("make champion", project.path, variables)
    assert "unchanged since" in made.stdout + made.stderr
    assert champions(project) == 1


def test_cronjob_accepts_that_the_champion_stays(
    project: ProjectDirectory, environment: Mapping[str, str], tmp_path: Path
) -> None:
    cronjob = yaml.safe_load(CRONJOB.read_text())
    pod = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (script,) = pod["containers"][0]["args"]
    source = new_project(tmp_path / "source")
    source.edit_config(space=POOR)
    command = script.replace("/source", str(source.path))
    completed = run_in_shell(command, project.path, {**environment, "LAST_STEP": "promote"})
    assert "champion stays" in completed.stdout
    assert champions(project) == 1


def test_metaflow_runs_the_pipeline(
    project: ProjectDirectory, environment: Mapping[str, str], url: str, tmp_path: Path
) -> None:
    home = {"METAFLOW_HOME": str(tmp_path / "metaflow"), "METAFLOW_USER": "tester"}
    datastore = {"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(tmp_path / "datastore")}
    variables = environment | home | datastore
    flow = [sys.executable, str(FLOW), "--no-pylint"]
    options = ["--project", str(project.path), "--url", url]
    completed = subprocess.run(
        [*flow, "run", *options, "--run-id-file", str(tmp_path / "run")],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert artifact(tmp_path, variables, "verify", "verified")
    assert champions(project) == 1


def artifact(directory: Path, environment: Mapping[str, str], step: str, name: str) -> object:
    """Return an artifact of the newest run of the flow, read with Metaflow's client."""
    run = (directory / "run").read_text()
    script = (
        "import json, metaflow; metaflow.namespace(None); "
        f"print(json.dumps(metaflow.Step('HousectlFlow/{run}/{step}').task['{name}'].data))"
    )
    completed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    value: object = json.loads(completed.stdout)
    return value
