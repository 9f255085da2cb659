"""The commands, workflows and scripts in the documentation run as they are.

A page's commands, the lines of its console blocks that begin with `$ `, run in order in a copy of a
project with a champion, a challenger, houses.csv and data/flats.csv. Each must end with status 0,
or with that of a comment such as `# status 10`. A server that is started runs until the next one
starts, or until the page's end. The commands of shell-session blocks run on a cluster, in
cluster/test_docs.py.
"""

import csv
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import yaml

from housectl import Project
from tests.docs.pages import (
    CLUSTER,
    DOCS,
    INSTALL,
    LOCAL,
    MAKE,
    PAGES,
    README,
    Command,
    blocks,
    code_spans,
    commands,
    labels,
    make_targets,
    page_id,
    rows,
)
from tests.docs.running import run_in_bash, run_python
from tests.servers.environment import use_server
from tests.servers.model_registry import model_registry
from tests.test_end_to_end import serving
from tools.project_directory import HOUSECTL, ROOT, ProjectDirectory, clean_environment
from tools.server_process import free_port

# A page that shows this URL has a model registry there.
REGISTRY = "http://127.0.0.1:8080"
BUCKET = "s3://my-bucket"
SERVE = re.compile(
    r"housectl serve(?: -C (?P<directory>\w+))?(?: --workers (?P<workers>\d+))?"
    r"(?: --prediction-log (?P<log>\S+) --prediction-log-sample (?P<sample>\S+))?"
    r"(?: --api-keys-file (?P<keys>\S+))?"
)


@pytest.fixture
def project(project_with_challenger: ProjectDirectory, tmp_path: Path) -> ProjectDirectory:
    project = project_with_challenger.copy(tmp_path / "boston")
    data = (project.path / "data.csv").read_text()
    (project.path / "houses.csv").write_text(data.replace("MEDV", "price", 1))
    (project.path / "data").mkdir(exist_ok=True)
    shutil.copy(ROOT / "data" / "flats.csv", project.path / "data")
    return project


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environment(port: int, tmp_path: Path) -> Mapping[str, str]:
    # A 4xx or 5xx must not look like success, and no proxy leads to this machine.
    (tmp_path / ".curlrc").write_text('fail-with-body\nnoproxy = "*"\n')
    return clean_environment() | {
        "PATH": f"{HOUSECTL.parent}{os.pathsep}{os.environ['PATH']}",
        "CURL_HOME": str(tmp_path),
        "HOUSECTL_PORT": str(port),
        "HOUSECTL_TRIALS": "3",
        "HOUSECTL_P99_MS": "5000",
    }


def run(
    command: Command,
    project: ProjectDirectory,
    environment: Mapping[str, str],
    addresses: Mapping[str, str],
) -> None:
    """Run a command of a page, with real addresses in place of the shown ones."""
    text = command.text
    for shown, real in addresses.items():
        text = text.replace(shown, real)
    completed = run_in_bash(text, project, environment)
    output = f"{completed.stdout}{completed.stderr}"
    assert completed.returncode == command.status, f"{command.text}\n{output}"
    for shown, real in addresses.items():
        output = output.replace(real, shown)
    missing = labels(command.output) - labels(output.splitlines())
    assert not missing, f"{command.text}\n{output}"


@pytest.fixture
def addresses(
    page: Path, port: int, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Mapping[str, str]]:
    """The real addresses of the servers that a page shows, which run during the test."""
    text = page.read_text()
    real = {":8005": f":{port}"}
    with ExitStack() as servers:
        if REGISTRY in text:
            registry = servers.enter_context(model_registry(tmp_path / "registry.log"))
            real[REGISTRY] = registry.url
        if BUCKET in text:
            s3 = request.getfixturevalue("s3")
            servers.enter_context(use_server(s3))
            real[BUCKET] = f"s3://{s3.new_bucket()}"
        yield real


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=page_id)
def test_commands_of_a_page_run(
    page: Path,
    project: ProjectDirectory,
    port: int,
    addresses: Mapping[str, str],
    environment: Mapping[str, str],
) -> None:
    with ExitStack() as servers:
        for command in commands(page):
            if command.is_installation:
                continue
            if serve := SERVE.fullmatch(command.text):
                servers.close()
                served = ProjectDirectory(project.path / (serve["directory"] or "."))
                settings = {
                    "HOUSECTL_SERVE_WORKERS": serve["workers"],
                    "HOUSECTL_API_KEYS_FILE": serve["keys"],
                    "HOUSECTL_PREDICTION_LOG": serve["log"],
                    "HOUSECTL_PREDICTION_LOG_SAMPLE": serve["sample"],
                }
                variables = {name: text for name, text in settings.items() if text}
                servers.enter_context(serving(served, port, **variables))
            else:
                run(command, project, environment, addresses)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_shown_command_is_in_a_block_that_runs(page: Path) -> None:
    shown = re.findall(r"^\s*\$ .*$", page.read_text(), flags=re.MULTILINE)
    found = [command for language in (LOCAL, CLUSTER) for command in commands(page, language)]
    assert len(shown) == len(found), shown


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_make_has_the_shown_targets(page: Path) -> None:
    matches = [MAKE.fullmatch(command.text) for command in commands(page)]
    assert {match[1] for match in matches if match} <= make_targets()


def test_installation_names_existing_extras() -> None:
    matches = [INSTALL.fullmatch(command.text) for command in commands(README)]
    extras = [match[1].split(",") for match in matches if match]
    assert extras == [["local", "serve"]] * 3
    project = (ROOT / "pyproject.toml").read_text()
    assert all(f"\n{extra} = [" in project for extra in extras[0])


@pytest.mark.slow
def test_workflow_of_the_readme_runs(
    project: ProjectDirectory, port: int, environment: Mapping[str, str]
) -> None:
    (workflow,) = (yaml.safe_load(block) for block in blocks(README, "yaml"))
    (job,) = workflow["jobs"].values()
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert "housectl promote" in " ".join(steps)
    project.run_ok("promote")
    with serving(project, port):
        for step in steps:
            completed = run_in_bash(step, project, environment)
            assert completed.returncode == 0, f"{step}\n{completed.stdout}{completed.stderr}"


def test_workflows_name_existing_targets_and_files() -> None:
    for path in (ROOT / ".github" / "workflows").glob("*.yaml"):
        jobs = yaml.safe_load(path.read_text())["jobs"].values()
        steps = " ".join(step.get("run", "") for job in jobs for step in job["steps"])
        settings = " ".join(" ".join(job.get("env", {}).values()) for job in jobs)
        assert set(re.findall(r"make ([a-z-]+)", steps)) <= make_targets()
        for name in re.findall(r"tests/\S+", steps + settings):
            assert (ROOT / name).exists(), name


@pytest.mark.slow
def test_digest_script_detects_a_changed_record(project: ProjectDirectory) -> None:
    (script,) = blocks(DOCS / "formats.md", "python")
    assert run_python(script, project).returncode == 0
    record = next(project.store.glob("bundles/*/bundle.json"))
    record.write_text(record.read_text().replace('"seed": 42', '"seed": 43'))
    assert "assert bundle.name" in run_python(script, project).stderr


@pytest.mark.slow
def test_python_api_examples_run(project: ProjectDirectory) -> None:
    for script in blocks(DOCS / "python-api.md", "python"):
        completed = run_python(script, project)
        assert completed.returncode == 0, completed.stderr
    assert completed.stdout.startswith("the champion stays: ")
    assert "usage housectl history" in completed.stdout


@pytest.mark.slow
def test_server_returns_the_shown_problem(project: ProjectDirectory, port: int) -> None:
    (shown,) = [
        json.loads(block) for block in blocks(DOCS / "formats.md", "json") if "422" in block
    ]
    rows_of_data = csv.DictReader((project.path / "data.csv").read_text().splitlines())
    row = {name: float(text) for name, text in next(rows_of_data).items() if name != "MEDV"}
    with serving(project, port) as url:
        response = httpx.post(f"{url}/predict", json={**row, "RM": None}, trust_env=False)
    problem = response.json()
    assert problem.keys() == shown.keys()
    assert (problem["status"], problem["detail"]) == (shown["status"], shown["detail"])
    assert problem["errors"] == shown["errors"]


def test_python_api_page_names_existing_methods() -> None:
    methods = [code_spans(method)[0] for method, _, _ in rows(DOCS / "python-api.md", "method")]
    assert {"tune", "promote", "verify"} <= {*methods} <= {*dir(Project)}
