"""`housectl doctor` on a cluster: each missing prerequisite has its line and its hint.

`tune` fails, too, if a prerequisite that can be checked quickly is missing.
"""

import json
import secrets
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from housectl.backends.katib.volume.pods import VolumePods
from housectl.errors import ExitStatus, PodError
from housectl.kube.client import Kube
from housectl.quantities import parse_quantity
from tests.cluster.accounts import write_kubeconfig
from tests.cluster.katib_faults import collector_image_replaced, require_stand_in, webhooks_stopped
from tests.cluster.pods import new_namespace
from tools.dev_cluster.images import SERVER_IMAGE, TRAINER_IMAGE
from tools.dev_cluster.kubectl import kubectl, kubectl_environment
from tools.project_directory import (
    HOUSECTL,
    CommandOutput,
    ProjectDirectory,
    clean_environment,
    example,
)
from tools.server_process import free_port

Row = Mapping[str, str]
CHECKS = (
    *("cluster", "permissions", "katib", "controller", "database", "namespace", "pvc", "algorithm"),
    *("capacity", "search", "image", "collector", "leftovers"),
)
SMALL = {"cpu": "50m", "memory": "64Mi", "algorithm": "random", "image": TRAINER_IMAGE}


@pytest.fixture(scope="module", autouse=True)
def bound(namespace: str) -> None:
    bind(namespace, "model-storage")


def bind(namespace: str, pvc: str) -> None:
    """Run a pod with a PVC, so that the PVC gets its volume on every kind of cluster."""
    pods = VolumePods(kube=Kube(None, namespace), pvc=pvc, image=TRAINER_IMAGE)
    with pods.running(read_only=True):
        pass


@pytest.fixture
def project(namespace: str, tmp_path: Path) -> ProjectDirectory:
    return example(
        ".",
        tmp_path / "boston",
        backend="katib",
        katib={**SMALL, "namespace": namespace},
        workers=1,
        serve={"port": free_port()},
    )


def doctor(project: ProjectDirectory, *options: str, **environment: str) -> CommandOutput:
    return project.run("doctor", "--json", *options, **environment)


def checks_by_name(output: CommandOutput) -> dict[str, Row]:
    checks = output.json["checks"]
    assert isinstance(checks, list)
    return {check["check"]: check for check in checks}


def results(checks: Mapping[str, Row]) -> dict[str, str]:
    return {name: checks[name]["result"] for name in CHECKS}


def rejected_tune(project: ProjectDirectory, *options: str) -> CommandOutput:
    """Run `tune` with a missing prerequisite; return its output after checking that it fails."""
    name = f"rejected-{secrets.token_hex(3)}"
    output = project.run("tune", "--name", name, *options)
    assert output.status == ExitStatus.CLUSTER, output
    assert name not in kubectl("get", "experiments.kubeflow.org", "-A", "--output=name")
    return output


def experiments(namespace: str) -> str:
    arguments = ("get", "experiments.kubeflow.org", "--output=name")
    return kubectl(*arguments, f"--namespace={namespace}")


def test_missing_permissions_are_listed(
    project: ProjectDirectory, namespace: str, tmp_path: Path
) -> None:
    config = write_kubeconfig("housectl-trial", namespace, tmp_path / "config")
    output = doctor(project, KUBECONFIG=config)
    checks = checks_by_name(output)
    assert output.status == ExitStatus.CLUSTER
    assert checks["katib"]["result"] == "ok"
    assert checks["permissions"]["result"] == "failed"
    for missing in (
        "get, list, watch, create, patch, delete, deletecollection experiments.kubeflow.org",
        "get, create pods/exec",
        "get, patch persistentvolumeclaims",
    ):
        assert missing in checks["permissions"]["found"]
    hint = checks["permissions"]["hint"]
    assert "auth can-i get experiments.kubeflow.org" in hint
    assert f"housectl cluster init --namespace {namespace}" in hint
    for unread in ("namespace", "algorithm", "capacity"):
        assert checks[unread]["result"] == "warning"
        assert "cannot be checked" in checks[unread]["found"]
        assert "auth can-i" in checks[unread]["hint"]
    assert checks["search"]["found"] == "needs permissions"


@pytest.fixture
def bare() -> Iterator[str]:
    """A namespace that is not set up."""
    with new_namespace() as name:
        yield name
    kubectl("delete", "clusterrolebinding", f"housectl-reader-{name}", "--ignore-not-found")


def test_hint_for_missing_label_works(project: ProjectDirectory, bare: str) -> None:
    options = ("--namespace", bare)
    checks = checks_by_name(doctor(project, *options))
    assert checks["namespace"]["result"] == "failed"
    assert "katib.kubeflow.org/metrics-collector-injection=enabled" in checks["namespace"]["found"]
    assert checks["search"]["result"] == "skipped"
    assert "lacks the label" in rejected_tune(project, *options).err
    program, *hint = shlex.split(checks["namespace"]["hint"])
    assert program == "housectl"
    project.run_ok(*hint, **kubectl_environment())
    assert doctor(project, *options).status == ExitStatus.OK


@pytest.mark.parametrize(
    ("options", "check", "message", "hint"),
    [
        (
            ["--namespace", "nowhere"],
            "namespace",
            'namespaces "nowhere" not found',
            "housectl cluster init --namespace nowhere",
        ),
        (
            ["--pvc", "none"],
            "pvc",
            'persistentvolumeclaims "none" not found',
            "--pvc none",
        ),
        (
            ["--algorithm", "randon"],
            "algorithm",
            "Katib has no algorithm randon here",
            "housectl tune --algorithm random",
        ),
    ],
)
def test_missing_prerequisite_is_reported_and_stops_search(
    project: ProjectDirectory, options: Sequence[str], check: str, message: str, hint: str
) -> None:
    output = doctor(project, *options)
    checks = checks_by_name(output)
    assert output.status == ExitStatus.CLUSTER
    assert checks[check]["result"] == "failed"
    assert message in checks[check]["found"]
    assert hint in checks[check]["hint"]
    assert checks["image"]["result"] == "skipped"
    err = rejected_tune(project, *options).err
    assert message in err
    assert hint in err


def test_trial_larger_than_every_node(project: ProjectDirectory, namespace: str) -> None:
    project.edit_config(katib={**SMALL, "namespace": namespace, "cpu": "5000"})
    checks = checks_by_name(doctor(project))
    assert checks["capacity"]["result"] == "failed"
    expected = "No node is large enough for a trial: it requests 5000.05 CPU"
    assert expected in checks["capacity"]["found"]
    assert "describe nodes" in checks["capacity"]["hint"]
    assert "No node is large enough" in rejected_tune(project).err


def test_more_workers_than_capacity(project: ProjectDirectory, namespace: str) -> None:
    nodes = json.loads(kubectl("get", "nodes", "--output=json"))["items"]
    cores = max(parse_quantity(node["status"]["allocatable"]["cpu"]) for node in nodes)
    katib = {**SMALL, "namespace": namespace, "cpu": f"{cores * 700:.0f}m"}
    project.edit_config(katib=katib, workers=4)
    output = doctor(project)
    check = checks_by_name(output)["capacity"]
    assert output.status == ExitStatus.OK
    assert check["result"] == "warning"
    assert "of 4 parallel trials" in check["found"]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("housectl-trainer:nowhere", "the image housectl-trainer:nowhere cannot be pulled"),
        (SERVER_IMAGE, "No module named housectl_trainer"),
        ("No Image", "No Image is an invalid image name"),
    ],
)
def test_image_is_not_a_trainer(
    project: ProjectDirectory, namespace: str, image: str, message: str
) -> None:
    output = doctor(project, "--image", image)
    check = checks_by_name(output)["image"]
    assert output.status == ExitStatus.CLUSTER
    assert check["result"] == "failed"
    assert message in check["found"]
    assert "--image IMAGE" in check["hint"]
    assert volume_pods(namespace) == []


@contextmanager
def pvc_of_class(namespace: str, name: str, storage_class: str) -> Iterator[None]:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": "1Gi"}},
    }
    manifest = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
    kubectl("apply", "--filename=-", stdin=json.dumps(manifest))
    try:
        yield
    finally:
        kubectl("delete", f"--namespace={namespace}", f"persistentvolumeclaim/{name}")


@pytest.fixture
def unbound(namespace: str) -> Iterator[str]:
    """A PVC of a missing storage class, after the event about it."""
    with pvc_of_class(namespace, "unbound", "nowhere"):
        wait_for_event(namespace, "unbound", "ProvisioningFailed")
        yield "unbound"


@pytest.fixture
def waiting_pvc(namespace: str) -> Iterator[str]:
    """A PVC that gets its volume when a pod first mounts it."""
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "housectl-tests-waiting"},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    kubectl("apply", "--filename=-", stdin=json.dumps(storage_class))
    with pvc_of_class(namespace, "waiting", "housectl-tests-waiting"):
        wait_for_event(namespace, "waiting", "WaitForFirstConsumer")
        yield "waiting"
    kubectl("delete", "storageclass/housectl-tests-waiting")


def wait_for_event(namespace: str, name: str, reason: str) -> None:
    selector = f"--field-selector=involvedObject.name={name},reason={reason}"
    deadline = time.monotonic() + 60
    while not kubectl("get", "events", f"--namespace={namespace}", selector, "--output=name"):
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_pvc_without_volume(project: ProjectDirectory, unbound: str) -> None:
    output = doctor(project, "--pvc", unbound)
    checks = checks_by_name(output)
    assert output.status == ExitStatus.CLUSTER
    assert checks["pvc"]["result"] == "failed"
    assert 'storageclass.storage.k8s.io "nowhere" not found' in checks["pvc"]["found"]
    assert f"describe pvc {unbound}" in checks["pvc"]["hint"]
    assert checks["image"]["found"] == "needs pvc"


def test_pvc_that_waits_for_first_pod_is_ok(project: ProjectDirectory, waiting_pvc: str) -> None:
    # An unknown algorithm skips the check that starts a pod, which would wait for a volume.
    checks = checks_by_name(doctor(project, "--pvc", waiting_pvc, "--algorithm", "none"))
    assert checks["pvc"]["result"] == "ok"
    assert "Pending until a pod first mounts it" in checks["pvc"]["found"]
    assert checks["image"]["found"] == "needs search"


@contextmanager
def second_node() -> Iterator[None]:
    """Add a node of Minikube without a kubelet and without capacity."""
    # Kubernetes would know a node of the same name to have no kubelet.
    name = f"housectl-tests-{secrets.token_hex(3)}"
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"minikube.k8s.io/primary": "false"}},
        "status": {
            "allocatable": {"cpu": "0", "memory": "0", "pods": "0"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    }
    kubectl("create", "--filename=-", stdin=json.dumps(node))
    try:
        deadline = time.monotonic() + 30
        while kubectl("get", f"node/{name}", "--output=jsonpath={.spec.taints}"):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        yield
    finally:
        kubectl("delete", f"node/{name}")


@pytest.mark.alone
def test_node_local_pvc_stops_search(project: ProjectDirectory, namespace: str) -> None:
    provisioner = "volume.kubernetes.io/storage-provisioner=k8s.io/minikube-hostpath"
    with pvc_of_class(namespace, "node-local", "standard"):
        bind(namespace, "node-local")
        kubectl(
            "annotate", "--overwrite", f"--namespace={namespace}", "pvc/node-local", provisioner
        )
        with second_node():
            output = doctor(project, "--pvc", "node-local")
        check = checks_by_name(output)["pvc"]
        assert output.status == ExitStatus.CLUSTER
        assert check["result"] == "failed"
        assert "2 nodes are schedulable: trials on other nodes" in check["found"]
        program, *hint = shlex.split(check["hint"].partition("   #")[0])
        assert program == "kubectl"
        with second_node():
            assert (
                "2 nodes are schedulable: trials on other nodes"
                in rejected_tune(project, "--pvc", "node-local").err
            )
            kubectl(*hint)
            assert checks_by_name(doctor(project, "--pvc", "node-local"))["pvc"]["result"] == "ok"


def test_pod_that_does_not_start_in_time_has_cause(namespace: str, waiting_pvc: str) -> None:
    pods = VolumePods(kube=Kube(None, namespace), pvc=waiting_pvc, image=TRAINER_IMAGE, timeout=12)
    with pytest.raises(PodError, match="no node can run its pod"), pods.running(read_only=True):
        pass
    assert volume_pods(namespace) == []


def test_ctrl_c_deletes_pod(project: ProjectDirectory, namespace: str, waiting_pvc: str) -> None:
    started = subprocess.Popen(
        [HOUSECTL, "doctor", "--pvc", waiting_pvc],
        cwd=project.path,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not volume_pods(namespace):
        assert started.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=60)
    assert started.returncode == ExitStatus.INTERRUPTED
    assert volume_pods(namespace) == []


def volume_pods(namespace: str) -> list[str]:
    """Return the transfer pods that are not being deleted."""
    pods = json.loads(
        kubectl(
            *("get", "pods", f"--namespace={namespace}", "--output=json"),
            "--selector=app.kubernetes.io/component=volume",
        )
    )
    return [
        each["metadata"]["name"]
        for each in pods["items"]
        if "deletionTimestamp" not in each["metadata"]
    ]


@pytest.mark.alone
def test_katib_webhooks_unavailable(project: ProjectDirectory, namespace: str) -> None:
    with webhooks_stopped(namespace):
        output = doctor(project)
    checks = checks_by_name(output)
    assert output.status == ExitStatus.CLUSTER
    assert checks["katib"]["result"] == "ok"
    assert checks["search"]["result"] == "failed"
    assert "failed calling webhook" in checks["search"]["found"]
    assert "get pods" in checks["search"]["hint"]
    assert checks["image"]["found"] == "needs search"
    assert doctor(project).status == ExitStatus.OK


@pytest.mark.alone
def test_collector_image_pull_failed(project: ProjectDirectory, namespace: str) -> None:
    with collector_image_replaced("127.0.0.1:1/absent:1"):
        output = doctor(project)
    checks = checks_by_name(output)
    assert output.status == ExitStatus.CLUSTER
    assert checks["image"]["result"] == "ok"
    assert checks["collector"]["result"] == "failed"
    assert "the image 127.0.0.1:1/absent:1 cannot be pulled" in checks["collector"]["found"]
    assert "edit configmap katib-config -n kubeflow" in checks["collector"]["hint"]
    assert volume_pods(namespace) == []


@pytest.fixture
def pause() -> str:
    """An image that is on every node and has no programs."""
    (node, *_) = json.loads(kubectl("get", "nodes", "--output=json"))["items"]
    names = (name for image in node["status"]["images"] for name in image["names"] or [])
    return next(name for name in names if "pause:" in name)


@pytest.mark.alone
def test_collector_image_without_programs(project: ProjectDirectory, pause: str) -> None:
    with collector_image_replaced(pause):
        check = checks_by_name(doctor(project))["collector"]
    assert check["result"] == "ok", check
    assert pause in check["found"]


@pytest.mark.alone
def test_katib_in_other_namespace(project: ProjectDirectory) -> None:
    require_stand_in()
    checks = checks_by_name(doctor(project))
    for name, deployment in (("controller", "katib-controller"), ("database", "katib-db-manager")):
        assert checks[name]["result"] == "warning"
        assert f"kubeflow has no deployment {deployment}" in checks[name]["found"]
        assert checks[name]["hint"].endswith("get deployments -A -l katib.kubeflow.org/component")
