"""The CronJob of k8s/components/schedule, set up as docs/pipelines.md shows it.

The pods reach a real object store on this machine. Nothing else of a pod outlives it.
"""

import json
import os.path
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from housectl.cluster_setup import Overlay
from tests.cluster.backend import SMALL_PODS
from tests.docs.pages import DOCS, blocks
from tests.spaces import GOOD
from tests.test_end_to_end import serving
from tools.dev_cluster.images import CLI_IMAGE
from tools.dev_cluster.kubectl import kubectl
from tools.dev_cluster.setup import prepared_namespace
from tools.project_directory import ROOT, ProjectDirectory, example
from tools.s3_server import S3Server
from tools.server_process import free_port

CRONJOB = "cronjob/housectl-run"
COMPONENT = ROOT / "k8s" / "components" / "schedule"
CERTIFICATES = "/opt/housectl/lib/python3.11/site-packages/certifi/cacert.pem"
TRIALS = 4
TIMEOUT_SECONDS = 300.0


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    with prepared_namespace(f"schedule-{secrets.token_hex(3)}") as name:
        yield name


@pytest.fixture(scope="module")
def variables(s3_for_pods: S3Server) -> Mapping[str, str]:
    """The variables of a new store, which the Secret and the commands here share."""
    store = f"s3://{s3_for_pods.new_bucket()}/boston"
    return {"HOUSECTL_STORE": store, **s3_for_pods.environment}


def secret_of(variables: Mapping[str, str]) -> str:
    """Return the content of the Secret; a test bed's base image lacks the usual certificates."""
    all_variables = {**variables, "SSL_CERT_FILE": CERTIFICATES}
    return "".join(f"{name}={value}\n" for name, value in all_variables.items())


@pytest.fixture(scope="module")
def project(
    namespace: str, variables: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProjectDirectory]:
    """A project with its schedule on the cluster."""
    directory = tmp_path_factory.mktemp("schedule")
    budget = {"trials": TRIALS}
    project = example(".", directory / "boston", space=GOOD, budget=budget, katib=SMALL_PODS)
    file = directory / "store.env"
    file.write_text(secret_of(variables))
    create("secret", "generic", "housectl-store", f"--from-env-file={file}", namespace=namespace)
    write_kustomization(project.path, namespace)
    kubectl("apply", "--kustomize", str(project.path))
    yield project
    kubectl("delete", "--kustomize", str(project.path))


def write_kustomization(directory: Path, namespace: str) -> None:
    """Write the page's kustomization.yaml, with this checkout and this test's namespace."""
    pages = (yaml.safe_load_all(text) for text in blocks(DOCS / "pipelines.md", "yaml"))
    (shown,) = (each for page in pages for each in page if each["kind"] == "Kustomization")
    (component,), (image,) = shown["components"], shown["images"]
    assert component.endswith(f"//{COMPONENT.relative_to(ROOT)}?ref=main")
    name, _, tag = CLI_IMAGE.partition(":")
    adapted = {
        **shown,
        "namespace": namespace,
        "components": [os.path.relpath(COMPONENT, directory)],
        "images": [{**image, "newName": name, "newTag": tag}],
    }
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(adapted))


def create(kind: str, *arguments: str, namespace: str) -> None:
    kubectl("create", kind, *arguments, f"--namespace={namespace}")


def objects(kind: str, namespace: str, *options: str) -> Sequence[dict[str, Any]]:
    output = kubectl("get", kind, f"--namespace={namespace}", "--output=json", *options)
    items: list[dict[str, Any]] = json.loads(output)["items"]
    return items


def names(kind: str, namespace: str) -> list[str]:
    return [each["metadata"]["name"] for each in objects(kind, namespace)]


def pods_of(job: str, namespace: str) -> Sequence[dict[str, Any]]:
    return objects("pods", namespace, f"--selector=job-name={job}")


def finish(job: str, namespace: str, *, condition: str = "Complete") -> str:
    """Wait for a condition of a job, and return the log of its last pod."""
    wait_for(lambda: conditions(job, namespace))
    assert conditions(job, namespace) == {condition}, log(job, namespace)
    return log(job, namespace)


def log(job: str, namespace: str) -> str:
    return kubectl("logs", f"job/{job}", f"--namespace={namespace}")


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def conditions(job: str, namespace: str) -> set[str]:
    """Return the conditions with which a job has ended."""
    output = kubectl("get", f"job/{job}", f"--namespace={namespace}", "--output=json")
    found = json.loads(output)["status"].get("conditions", [])
    return {each["type"] for each in found} & {"Complete", "Failed"}


@pytest.mark.parametrize("overlay", Overlay)
def test_the_account_of_the_schedule_belongs_to_each_overlay(
    overlay: Overlay, tmp_path: Path
) -> None:
    parts = {
        "namespace": "houses",
        "resources": [os.path.relpath(ROOT / "k8s" / "overlays" / overlay, tmp_path)],
        "components": [os.path.relpath(COMPONENT, tmp_path)],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(parts))
    rendered = [*yaml.safe_load_all(kubectl("kustomize", str(tmp_path)))]
    (cronjob,) = (each for each in rendered if each["kind"] == "CronJob")
    account = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["serviceAccountName"]
    assert cronjob["metadata"]["namespace"] == "houses"
    assert account in {
        each["metadata"]["name"] for each in rendered if each["kind"] == "ServiceAccount"
    }


@pytest.fixture(scope="module")
def killed_job(project: ProjectDirectory, namespace: str) -> str:  # noqa: ARG001
    """A finished job; its first pod was killed during the search."""
    create("job", "first", f"--from={CRONJOB}", namespace=namespace)
    wait_for(lambda: objects("trials.kubeflow.org", namespace) or conditions("first", namespace))
    assert not conditions("first", namespace), log("first", namespace)
    (pod,) = pods_of("first", namespace)
    kubectl(
        *("delete", "pod", pod["metadata"]["name"], f"--namespace={namespace}"),
        *("--grace-period=0", "--force"),
    )
    finish("first", namespace)
    return "first"


def history(project: ProjectDirectory, variables: Mapping[str, str]) -> object:
    return project.run_ok("history", "--json", **variables).json["history"]


def test_the_next_pod_continues_the_run_of_a_killed_one(
    project: ProjectDirectory, killed_job: str, namespace: str, variables: Mapping[str, str]
) -> None:
    assert len(names("experiments.kubeflow.org", namespace)) == 1
    assert len(names("trials.kubeflow.org", namespace)) == TRIALS
    (entry,) = history(project, variables)  # type: ignore[misc]
    assert entry["by"].startswith(f"housectl@{killed_job}-")


@pytest.mark.usefixtures("killed_job")
def test_a_second_run_has_nothing_to_do(
    project: ProjectDirectory, namespace: str, variables: Mapping[str, str]
) -> None:
    before = history(project, variables)
    create("job", "second", f"--from={CRONJOB}", namespace=namespace)
    assert "unchanged since" in finish("second", namespace)
    assert len(names("experiments.kubeflow.org", namespace)) == 1
    assert history(project, variables) == before


@pytest.mark.usefixtures("killed_job")
def test_a_run_verifies_a_server_that_its_pod_reaches(
    project: ProjectDirectory,
    namespace: str,
    node_address: str,
    variables: Mapping[str, str],
) -> None:
    port = free_port()
    settings = (
        "LAST_STEP=verify",
        f"HOUSECTL_URL=http://{node_address}:{port}",
        "HOUSECTL_P99_MS=5000",
    )
    kubectl("set", "env", CRONJOB, *settings, f"--namespace={namespace}")
    with serving(project, port, HOUSECTL_HOST="0.0.0.0", **variables):
        create("job", "verified", f"--from={CRONJOB}", namespace=namespace)
        finish("verified", namespace)


@pytest.mark.usefixtures("project")
def test_an_invalid_setting_ends_the_job_at_its_first_attempt(namespace: str) -> None:
    job = json.loads(
        kubectl(
            *("create", "job", "invalid", f"--from={CRONJOB}", f"--namespace={namespace}"),
            *("--dry-run=client", "--output=json"),
        )
    )
    (container,) = job["spec"]["template"]["spec"]["containers"]
    container["env"].append({"name": "HOUSECTL_TRIALS", "value": "none"})
    kubectl("apply", "--filename=-", stdin=json.dumps(job))
    assert "HOUSECTL_TRIALS" in finish("invalid", namespace, condition="Failed")
    assert len(pods_of("invalid", namespace)) == 1


@pytest.mark.usefixtures("project")
def test_pods_are_restricted(namespace: str) -> None:
    """The API server accepts the pod in a namespace that enforces the level `restricted`."""
    (cronjob,) = objects("cronjobs", namespace)
    template = cronjob["spec"]["jobTemplate"]["spec"]["template"]
    strict = f"{namespace}-strict"
    kubectl("create", "namespace", strict)
    try:
        kubectl("label", "namespace", strict, "pod-security.kubernetes.io/enforce=restricted")
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**template["metadata"], "name": "strict", "namespace": strict},
            "spec": {**template["spec"], "serviceAccountName": "default"},
        }
        kubectl("create", "--dry-run=server", "--filename=-", stdin=json.dumps(pod))
    finally:
        kubectl("delete", "namespace", strict, "--wait=false")
