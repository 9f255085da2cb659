"""The manifest for Kubernetes, applied as the documentation shows it, in a restricted namespace."""

import json
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from tests.docs.pages import DOCS, blocks
from tests.docs.running import run_in_bash
from tests.server.running import wait_until
from tools.dev_cluster.images import SERVER_IMAGE
from tools.dev_cluster.kubectl import kubectl, kubectl_environment
from tools.project_directory import ROOT, ProjectDirectory, clean_environment
from tools.s3_server import S3Server

DEPLOYMENT = "deployment/housectl-server"
MANIFEST = "deploy/kubernetes/housectl-server.yaml"
RESTRICTED = ("enforce", "warn")

# A test bed's base image lacks the usual certificates.
CERTIFICATES = "/opt/housectl/lib/python3.11/site-packages/certifi/cacert.pem"


@pytest.fixture
def namespace() -> Iterator[str]:
    """A namespace whose pods must satisfy the Pod Security Standard `restricted`."""
    name = f"restricted-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    labels = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in RESTRICTED]
    kubectl("label", "namespace", name, *labels)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def environment(namespace: str, tmp_path: Path) -> Mapping[str, str]:
    """An environment in which kubectl uses this namespace by default."""
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "--output=json"))
    config["contexts"][0]["context"]["namespace"] = namespace
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    return clean_environment() | kubectl_environment() | {"KUBECONFIG": str(path)}


@pytest.fixture
def variables(s3_for_pods: S3Server) -> Mapping[str, str]:
    """The variables of a new store."""
    return {"HOUSECTL_STORE": f"s3://{s3_for_pods.new_bucket()}/boston", **s3_for_pods.environment}


@pytest.fixture
def project(
    project_with_challenger: ProjectDirectory, variables: Mapping[str, str], tmp_path: Path
) -> ProjectDirectory:
    """A project with its store in S3, and the credentials of the Secret in server.env."""
    project = project_with_challenger.copy(tmp_path / "boston")
    project.run_ok("store", "copy", str(project.store), variables["HOUSECTL_STORE"], **variables)
    secret = {**variables, "SSL_CERT_FILE": CERTIFICATES}
    del secret["HOUSECTL_STORE"]
    lines = (f"{name}={value}\n" for name, value in secret.items())
    (project.path / "server.env").write_text("".join(lines))
    return project


def shown_commands(store: str) -> str:
    """Return the commands of the documentation, with real values and without one for show."""
    (block,) = [each for each in blocks(DOCS / "serving.md", "sh") if MANIFEST in each]
    values = {
        "ghcr.io/owner/housectl-server@sha256:…": SERVER_IMAGE,
        "s3://models/houses": store,
        MANIFEST: str(ROOT / MANIFEST),
    }
    for shown, real in values.items():
        assert block.count(shown) == 1
        block = block.replace(shown, real)
    return block


def test_shown_commands_roll_out_and_restart_without_a_lost_request(
    project: ProjectDirectory, variables: Mapping[str, str], environment: Mapping[str, str]
) -> None:
    applied = run_in_bash(shown_commands(variables["HOUSECTL_STORE"]), project, environment)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    # The API server warns of pods that the standard forbids.
    assert applied.stderr == ""
    address = in_namespace(
        environment, "get", "service/housectl-server", "-o=jsonpath={.spec.clusterIP}"
    )
    url = f"http://{address}:8005"
    assert ready_pods(environment) == 2
    project.run_ok("verify", "--url", url, "--p99-ms", "10000", **variables)
    with requests_without_failure(url):
        in_namespace(environment, "rollout", "restart", DEPLOYMENT)
        in_namespace(environment, "rollout", "status", DEPLOYMENT, "--timeout=90s")
        wait_until(lambda: ready_pods(environment) == pods(environment) == 2)
    project.run_ok("promote", **variables)
    with httpx.Client(base_url=url, trust_env=False) as client:
        wait_until(lambda: client.get("/health").json()["champion"] == 2)


def in_namespace(environment: Mapping[str, str], *arguments: str) -> str:
    return subprocess.run(
        ["kubectl", *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def pods(environment: Mapping[str, str]) -> int:
    return len(in_namespace(environment, "get", "pods", "-o=name").split())


def ready_pods(environment: Mapping[str, str]) -> int:
    path = "-o=jsonpath={.status.readyReplicas}"
    return int(in_namespace(environment, "get", DEPLOYMENT, path))


@contextmanager
def requests_without_failure(url: str) -> Iterator[None]:
    """Send requests, each on a new connection, during the block; fail if one has no answer."""
    stop = Event()
    failures: list[str] = []
    answers = 0

    def send() -> None:
        nonlocal answers
        while not stop.is_set():
            try:
                httpx.get(f"{url}/health/ready", trust_env=False, timeout=10).raise_for_status()
            except httpx.HTTPError as error:
                failures.append(repr(error))
            else:
                answers += 1

    thread = Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failures == []
    assert answers > 0
