"""`housectl cluster init` on a real cluster: what it sends, repetition, and what it allows."""

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
CLAIM = "persistentvolumeclaims/model-storage"


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


def outcomes(answer: CommandOutput) -> dict[str, str]:
    objects = answer.json["objects"]
    assert isinstance(objects, list)
    return {each["object"]: each["result"] for each in objects}


def versions(names: Iterable[str], namespace: str) -> list[str]:
    found = json.loads(kubectl("get", f"--namespace={namespace}", "--output=json", *names))
    return [each["metadata"]["resourceVersion"] for each in found["items"]]


def object_of(namespace: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        kubectl("get", f"--namespace={namespace}", "--output=json", name)
    )
    return found


def bound(namespace: str) -> None:
    """Wait until the claim has its volume: from then on nobody else changes it."""
    kubectl(
        *("wait", f"--namespace={namespace}", CLAIM),
        *("--for=jsonpath={.status.phase}=Bound", "--timeout=60s"),
    )


@pytest.mark.parametrize(
    ("overlay", "storage_class", "size"),
    [("generic", None, "10Gi"), ("minikube", "standard", "2Gi")],
)
def test_a_dry_run_prints_all_and_sends_nothing(
    project: ProjectDirectory, namespace: str, overlay: str, storage_class: str | None, size: str
) -> None:
    answer = init(project, namespace, "--overlay", overlay, "--pvc", "mine", "--dry-run")
    objects = {each["kind"]: each for each in yaml.safe_load_all(answer.out)}
    assert objects["Namespace"]["metadata"] == {"name": namespace, "labels": {LABEL: "enabled"}}
    claim = objects["PersistentVolumeClaim"]
    assert claim["metadata"] == {"name": "mine", "namespace": namespace}
    assert claim["spec"].get("storageClassName") == storage_class
    assert claim["spec"]["resources"]["requests"]["storage"] == size
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        (subject,) = objects[kind]["subjects"]
        assert subject["namespace"] == namespace
    assert kubectl("get", "namespace", namespace, "--ignore-not-found") == ""


def test_it_can_be_repeated(project: ProjectDirectory, namespace: str) -> None:
    first = outcomes(init(project, namespace, "--json"))
    assert "created" in set(first.values())
    bound(namespace)
    before = versions(first, namespace)
    second = outcomes(init(project, namespace, "--json"))
    assert second == {**dict.fromkeys(first, "up to date"), CLAIM: "unchanged"}
    assert versions(second, namespace) == before


def test_what_others_said_of_the_namespace_stays(project: ProjectDirectory, namespace: str) -> None:
    labelled = {"name": namespace, "labels": {"team": "houses"}}
    kubectl(
        *("apply", "--filename=-"),
        stdin=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": labelled}),
    )
    init(project, namespace)
    found = json.loads(kubectl("get", "namespace", namespace, "--output=json"))
    assert found["metadata"]["labels"].items() >= {"team": "houses", LABEL: "enabled"}.items()


def test_the_accounts_can_do_what_they_must_and_no_more(
    project: ProjectDirectory, namespace: str
) -> None:
    init(project, namespace)

    def can(account: str, verb: str, kind: str, *options: str) -> bool:
        who = f"--as=system:serviceaccount:{namespace}:{account}"
        listed = kubectl(
            "auth", "can-i", "--list", who, *(options or (f"--namespace={namespace}",))
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


def test_a_context_that_is_none_is_named(project: ProjectDirectory) -> None:
    answer = project.run("cluster", "init", "--context", "nowhere", **kubectl_environment())
    assert answer.status == ExitStatus.CLUSTER
    assert "no usable context 'nowhere'" in answer.err
    assert "hint:  kubectl config get-contexts" in answer.err


@pytest.mark.parametrize(("first", "second"), [("generic", "minikube"), ("minikube", "generic")])
def test_a_claim_of_another_overlay_stays(
    project: ProjectDirectory, namespace: str, first: str, second: str
) -> None:
    init(project, namespace, "--overlay", first)
    bound(namespace)
    before = object_of(namespace, CLAIM)
    told = outcomes(init(project, namespace, "--overlay", second, "--json"))
    assert told.pop(CLAIM) == "unchanged"
    assert set(told.values()) == {"up to date"}
    assert object_of(namespace, CLAIM) == before


def test_a_claim_of_ones_own_stays(project: ProjectDirectory, namespace: str) -> None:
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
    told = outcomes(init(project, namespace, "--pvc", "mine", "--json"))
    assert told["persistentvolumeclaims/mine"] == "unchanged"
    found = object_of(namespace, "persistentvolumeclaims/mine")
    assert found["spec"]["accessModes"] == ["ReadWriteMany"]
    assert found["spec"]["resources"]["requests"]["storage"] == "1Gi"
    assert found["metadata"]["labels"] == {"team": "houses"}


def test_what_the_cluster_refuses_is_told_in_its_words(
    project: ProjectDirectory, namespace: str
) -> None:
    options = ("--namespace", namespace, "--pvc", "no_name")
    answer = project.run("cluster", "init", *options, **kubectl_environment())
    assert answer.status == ExitStatus.CLUSTER
    assert "a lowercase RFC 1123 subdomain must consist of" in answer.err
