"""What the documentation shows of a cluster is true: it runs, in order, on this one.

A page's commands are the lines of its shell-session blocks that begin with `$ `. What is to end
with status 130 gets a Ctrl-C when its first trial has ended. The namespace is this test's own
wherever the page has that of Katib's installation.
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
from tests.server.running import wait_until
from tests.spaces import GOOD
from tests.test_docs import CLUSTER, DOCS, PAGES, bash, blocks, commands, named
from tests.test_end_to_end import free_port
from tools.dev_cluster.kubectl import has_test_bed, kubectl, kubectl_environment
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment, example

KATIBS_NAMESPACE = re.compile(r"(?<=-n )kubeflow\b|(?<=serviceaccount:)kubeflow\b")
INTERRUPTED = 130
FIRST_TRIAL = re.compile(r" [1-9]\d*/\d+ trials, best ")


@pytest.fixture
def namespace() -> Iterator[str]:
    """A namespace that is not there yet."""
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


@pytest.mark.parametrize("page", [page for page in PAGES if [*commands(page, CLUSTER)]], ids=named)
def test_what_a_page_shows_runs_on_a_cluster(
    page: Path,
    project: ProjectDirectory,
    namespace: str,
    port: int,
    environment: Mapping[str, str],
) -> None:
    with ExitStack() as servers:
        for shown, status in commands(page, CLUSTER):
            command = KATIBS_NAMESPACE.sub(namespace, shown).replace(":8005", f":{port}")
            if command.startswith("housectl serve"):
                servers.close()
                servers.enter_context(serving(command, project, port, environment))
            elif status == INTERRUPTED:
                assert interrupt(command, project, environment) == INTERRUPTED, command
            else:
                ended = bash(command, project, environment)
                assert ended.returncode == status, f"{command}\n{ended.stdout}{ended.stderr}"


def test_the_workflow_runs_on_a_cluster(
    project: ProjectDirectory, namespace: str, port: int, environment: Mapping[str, str]
) -> None:
    (workflow,) = (yaml.safe_load(block) for block in blocks(DOCS / "katib.md", "yaml"))
    (job,) = workflow["jobs"].values()
    there = {"HOUSECTL_STORE": str(project.store), "KUBECONFIG": os.environ["KUBECONFIG"]}
    assert job["env"].keys() == {"HOUSECTL_BACKEND", *there}
    said = environment | job["env"] | there
    kubectl("create", "namespace", namespace)
    must("housectl cluster init", project, said)
    must("housectl tune --name first && housectl promote", project, said)
    with serving("housectl serve", project, port, said):
        for step in job["steps"]:
            if "run" in step:
                must(step["run"], project, said)


def must(command: str, project: ProjectDirectory, environment: Mapping[str, str]) -> None:
    ended = bash(command, project, environment)
    assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"


@contextmanager
def serving(
    command: str, project: ProjectDirectory, port: int, environment: Mapping[str, str]
) -> Iterator[None]:
    process = subprocess.Popen(shlex.split(command), cwd=project.path, env=environment)
    try:
        wait_until(lambda: process.poll() is not None or answers(port))
        assert process.poll() is None, command
        yield
    finally:
        process.terminate()
        assert process.wait() == 0


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live").close()
    except OSError:
        return False
    return True


def interrupt(command: str, project: ProjectDirectory, environment: Mapping[str, str]) -> int:
    """Send Ctrl-C to a search when its first trial has ended; return its status."""
    process = subprocess.Popen(
        shlex.split(command), cwd=project.path, env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert any(FIRST_TRIAL.search(line) for line in process.stderr), command
    process.send_signal(signal.SIGINT)
    process.communicate()
    return process.returncode
