"""`housectl cluster init` on a real cluster: manifests, repetition and permissions."""

import json
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from housectl.errors import ExitStatus
from tools.dev_cluster.kubectl import kubectl, kubectl_environment
from tools.project_directory import CommandOutput, ProjectDirectory, example

LABEL = "katib.kubeflow.org/metrics-collector-injection"
PVC = "persistentvolumeclaims/model-storage"
REGISTRATION = "configmaps/katib-config"


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    return example(".", tmp_path / "boston")


@pytest.fixture
def namespace() -> Iterator[str]:
    name = f"init-{secrets.token_hex(3)}"
    yield name
    kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
    kubectl("delete", "clusterrolebinding", f"housectl-reader-{name}", "--ignore-not-found")


def init(project: ProjectDirectory, namespace: str, *options: str) -> CommandOutput:
    return project.run_ok(
        "cluster", "init", "--namespace", namespace, *options, **kubectl_environment()
    )


def results(output: CommandOutput) -> dict[str, str]:
    objects = output.json["objects"]
    assert isinstance(objects, list)
    return {each["object"]: each["result"] for each in objects}


def resource_versions(names: Iterable[str], namespace: str) -> list[str]:
    objects = json.loads(kubectl("get", f"--namespace={namespace}", "--output=json", *names))
    return [each["metadata"]["resourceVersion"] for each in objects["items"]]


def object_of(namespace: str, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        kubectl("get", f"--namespace={namespace}", "--output=json", name)
    )
    return content


def wait_until_bound(namespace: str) -> None:
    """Wait until the PVC has its volume; afterwards, no controller changes it."""
    kubectl(
        *("wait", f"--namespace={namespace}", PVC),
        *("--for=jsonpath={.status.phase}=Bound", "--timeout=60s"),
    )


@pytest.mark.parametrize(
    ("overlay", "storage_class", "size"),
    [("generic", None, "10Gi"), ("minikube", "standard", "2Gi")],
)
def test_dry_run_prints_manifests_and_sends_none(
    project: ProjectDirectory, namespace: str, overlay: str, storage_class: str | None, size: str
) -> None:
    output = init(project, namespace, "--overlay", overlay, "--pvc", "mine", "--dry-run")
    objects = {each["kind"]: each for each in yaml.safe_load_all(output.out)}
    assert objects["Namespace"]["metadata"] == {"name": namespace, "labels": {LABEL: "enabled"}}
    pvc = objects["PersistentVolumeClaim"]
    assert pvc["metadata"] == {"name": "mine", "namespace": namespace}
    assert pvc["spec"].get("storageClassName") == storage_class
    assert pvc["spec"]["resources"]["requests"]["storage"] == size
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        (subject,) = objects[kind]["subjects"]
        assert subject["namespace"] == namespace
    assert kubectl("get", "namespace", namespace, "--ignore-not-found") == ""


def test_init_is_idempotent(project: ProjectDirectory, namespace: str) -> None:
    first = results(init(project, namespace, "--json"))
    assert first.pop(REGISTRATION) in {"registered", "unchanged"}
    assert "created" in set(first.values())
    wait_until_bound(namespace)
    before = resource_versions(first, namespace)
    second = results(init(project, namespace, "--json"))
    assert second.pop(REGISTRATION) == "unchanged"
    assert second == {**dict.fromkeys(first, "up to date"), PVC: "unchanged"}
    assert resource_versions(second, namespace) == before


def test_init_keeps_other_labels_of_the_namespace(
    project: ProjectDirectory, namespace: str
) -> None:
    labelled = {"name": namespace, "labels": {"team": "houses"}}
    kubectl(
        *("apply", "--filename=-"),
        stdin=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": labelled}),
    )
    init(project, namespace)
    objects = json.loads(kubectl("get", "namespace", namespace, "--output=json"))
    assert objects["metadata"]["labels"].items() >= {"team": "houses", LABEL: "enabled"}.items()


def test_accounts_have_exactly_the_required_permissions(
    project: ProjectDirectory, namespace: str
) -> None:
    init(project, namespace)

    def can(account: str, verb: str, kind: str, *options: str) -> bool:
        user = f"--as=system:serviceaccount:{namespace}:{account}"
        listed = kubectl(
            "auth", "can-i", "--list", user, *(options or (f"--namespace={namespace}",))
        )
        return any(
            line.split()[0] == kind and verb in line.rpartition("[")[2].rstrip("]").split()
            for line in listed.splitlines()
        )

    for verb, kind in (
        ("create", "experiments.kubeflow.org"),
        ("create", "pods/exec"),
        ("get", "pods/log"),
        ("delete", "jobs.batch"),
        ("list", "nodes"),
    ):
        assert can("housectl", verb, kind), (verb, kind)
        assert not can("housectl-trial", verb, kind), (verb, kind)
    for verb, kind in (
        ("get", "secrets"),
        ("create", "deployments.apps"),
        ("update", "experiments.kubeflow.org"),
    ):
        assert not can("housectl", verb, kind), (verb, kind)
    assert not can("housectl", "create", "pods", "--namespace=default")


def test_unknown_context(project: ProjectDirectory) -> None:
    output = project.run("cluster", "init", "--context", "nowhere", **kubectl_environment())
    assert output.status == ExitStatus.CLUSTER
    assert "no usable context 'nowhere'" in output.err
    assert "hint:  kubectl config get-contexts" in output.err


@pytest.mark.parametrize(("first", "second"), [("generic", "minikube"), ("minikube", "generic")])
def test_init_keeps_pvc_of_another_overlay(
    project: ProjectDirectory, namespace: str, first: str, second: str
) -> None:
    init(project, namespace, "--overlay", first)
    wait_until_bound(namespace)
    before = object_of(namespace, PVC)
    applied = results(init(project, namespace, "--overlay", second, "--json"))
    assert applied.pop(PVC) == "unchanged"
    assert applied.pop(REGISTRATION) == "unchanged"
    assert set(applied.values()) == {"up to date"}
    assert object_of(namespace, PVC) == before


def test_init_keeps_pvc_of_the_user(project: ProjectDirectory, namespace: str) -> None:
    kubectl("create", "namespace", namespace)
    mine = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "mine", "namespace": namespace, "labels": {"team": "houses"}},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    kubectl("apply", "--filename=-", stdin=json.dumps(mine))
    applied = results(init(project, namespace, "--pvc", "mine", "--json"))
    assert applied["persistentvolumeclaims/mine"] == "unchanged"
    found = object_of(namespace, "persistentvolumeclaims/mine")
    assert found["spec"]["accessModes"] == ["ReadWriteMany"]
    assert found["spec"]["resources"]["requests"]["storage"] == "1Gi"
    assert found["metadata"]["labels"] == {"team": "houses"}


def test_rejection_has_the_message_of_the_cluster(
    project: ProjectDirectory, namespace: str
) -> None:
    options = ("--namespace", namespace, "--pvc", "no_name")
    output = project.run("cluster", "init", *options, **kubectl_environment())
    assert output.status == ExitStatus.CLUSTER
    assert "a lowercase RFC 1123 subdomain must consist of" in output.err
