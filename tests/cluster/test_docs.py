"""The commands and the workflow that the documentation shows for a cluster run on one.

A page's commands are the lines of its shell-session blocks that begin with `$ `. A command that is
to end with status 130 gets a Ctrl-C when its first trial has ended. The namespace is this test's
own wherever the page has that of Katib's installation.
"""

import os
import re
import secrets
import shlex
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from tests.cluster.test_container import engine  # noqa: F401  # a fixture
from tests.docs.pages import CLUSTER, DOCS, PAGES, blocks, commands, page_id
from tests.docs.running import run_in_bash
from tests.server.running import wait_until
from tests.spaces import GOOD
from tools.dev_cluster.kubectl import has_test_bed, kubectl, kubectl_environment
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment, example
from tools.server_process import free_port

KATIB_NAMESPACE = re.compile(r"(?<=-n )kubeflow\b|(?<=serviceaccount:)kubeflow\b")
INTERRUPTED = 130
FIRST_TRIAL = re.compile(r" [1-9]\d*/\d+ trials, best ")


@pytest.fixture
def namespace() -> Iterator[str]:
    """Yield the name of a namespace that does not exist yet."""
    name = f"docs-{secrets.token_hex(3)}"
    yield name
    kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
    kubectl("delete", "clusterrolebinding", f"housectl-reader-{name}", "--ignore-not-found")


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    katib = {"cpu": "100m", "memory": "256Mi"}
    return example(".", tmp_path / "boston", space=GOOD, katib=katib)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environment(
    namespace: str, port: int, tmp_path: Path, request: pytest.FixtureRequest
) -> Mapping[str, str]:
    images = request.getfixturevalue("engine") if has_test_bed() else {}
    (tmp_path / ".curlrc").write_text('fail-with-body\nnoproxy = "*"\n')
    path = f"{HOUSECTL.parent}{os.pathsep}{kubectl_environment()['PATH']}"
    return (
        clean_environment()
        | images
        | {
            "PATH": path,
            "CURL_HOME": str(tmp_path),
            "HOUSECTL_NAMESPACE": namespace,
            "HOUSECTL_PORT": str(port),
            "HOUSECTL_TRIALS": "2",
            "HOUSECTL_P99_MS": "5000",
        }
    )


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page, CLUSTER)], ids=page_id)
def test_commands_of_a_page_run_on_a_cluster(
    page: Path,
    project: ProjectDirectory,
    namespace: str,
    port: int,
    environment: Mapping[str, str],
) -> None:
    with ExitStack() as servers:
        for shown in commands(page, CLUSTER):
            command = KATIB_NAMESPACE.sub(namespace, shown.text).replace(":8005", f":{port}")
            if command.startswith("housectl serve"):
                servers.close()
                servers.enter_context(serving(command, project, port, environment))
            elif shown.status == INTERRUPTED:
                assert interrupt(command, project, environment) == INTERRUPTED, command
            else:
                completed = run_in_bash(command, project, environment)
                output = f"{command}\n{completed.stdout}{completed.stderr}"
                assert completed.returncode == shown.status, output


def test_the_workflow_runs_on_a_cluster(
    project: ProjectDirectory, namespace: str, port: int, environment: Mapping[str, str]
) -> None:
    (workflow,) = (yaml.safe_load(block) for block in blocks(DOCS / "katib.md", "yaml"))
    (job,) = workflow["jobs"].values()
    cluster_variables = {
        "HOUSECTL_STORE": str(project.store),
        "KUBECONFIG": os.environ["KUBECONFIG"],
    }
    assert job["env"].keys() == {"HOUSECTL_BACKEND", *cluster_variables}
    variables = environment | job["env"] | cluster_variables
    kubectl("create", "namespace", namespace)
    run_ok("housectl cluster init", project, variables)
    run_ok("housectl tune --name first && housectl promote", project, variables)
    with serving("housectl serve", project, port, variables):
        for step in job["steps"]:
            if "run" in step:
                run_ok(step["run"], project, variables)


def run_ok(command: str, project: ProjectDirectory, environment: Mapping[str, str]) -> None:
    completed = run_in_bash(command, project, environment)
    assert completed.returncode == 0, f"{command}\n{completed.stdout}{completed.stderr}"


@contextmanager
def serving(
    command: str, project: ProjectDirectory, port: int, environment: Mapping[str, str]
) -> Iterator[None]:
    process = subprocess.Popen(shlex.split(command), cwd=project.path, env=environment)
    try:
        wait_until(lambda: process.poll() is not None or is_live(port))
        assert process.poll() is None, command
        yield
    finally:
        process.terminate()
        assert process.wait() == 0


def is_live(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live").close()
    except OSError:
        return False
    return True


def interrupt(command: str, project: ProjectDirectory, environment: Mapping[str, str]) -> int:
    """Send Ctrl-C to a search when its first trial has ended; return the exit status."""
    process = subprocess.Popen(
        shlex.split(command), cwd=project.path, env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert any(FIRST_TRIAL.search(line) for line in process.stderr), command
    process.send_signal(signal.SIGINT)
    process.communicate()
    return process.returncode
