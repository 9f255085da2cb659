"""`housectl doctor` on a real cluster: each thing that is missing has its line and its hint.

What keeps doctor from saying ok keeps `tune` from starting, where it can be asked quickly.
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
from tests.cluster.katib_faults import needs_parts, without_collector, without_webhooks
from tests.cluster.pods import new_namespace
from tests.test_end_to_end import free_port
from tools.dev_cluster.images import SERVER_IMAGE, TRAINER_IMAGE
from tools.dev_cluster.kubectl import kubectl, kubectl_environment
from tools.project_directory import (
    HOUSECTL,
    CommandOutput,
    ProjectDirectory,
    clean_environment,
    example,
)

Row = Mapping[str, str]
CHECKS = (
    *("cluster", "permissions", "Katib", "database", "namespace", "pvc", "algorithm", "capacity"),
    *("search", "image", "collector"),
)
SMALL = {"cpu": "50m", "memory": "64Mi", "algorithm": "random", "image": TRAINER_IMAGE}


@pytest.fixture(scope="module", autouse=True)
def bound(namespace: str) -> None:
    bind(namespace, "model-storage")


def bind(namespace: str, claim: str) -> None:
    """Let a pod use a claim, which then has its volume on every kind of cluster."""
    pods = VolumePods(kube=Kube(None, namespace), pvc=claim, image=TRAINER_IMAGE)
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


def rows(answer: CommandOutput) -> dict[str, Row]:
    checks = answer.json["checks"]
    assert isinstance(checks, list)
    return {check["check"]: check for check in checks}


def results(found: Mapping[str, Row]) -> dict[str, str]:
    return {name: found[name]["result"] for name in CHECKS}


def refused(project: ProjectDirectory, *options: str) -> CommandOutput:
    """Return how `tune` ended that the cluster cannot take; it has left nothing there."""
    name = f"refused-{secrets.token_hex(3)}"
    answer = project.run("tune", "--name", name, *options)
    assert answer.status == ExitStatus.CLUSTER, answer
    assert name not in kubectl("get", "experiments.kubeflow.org", "-A", "--output=name")
    return answer


def experiments(namespace: str) -> str:
    listed = ("get", "experiments.kubeflow.org", "--output=name")
    return kubectl(*listed, f"--namespace={namespace}")


@pytest.mark.alone
def test_all_is_well_on_a_cluster_that_is_prepared(
    project: ProjectDirectory, namespace: str
) -> None:
    before = experiments(namespace)
    with with_database():
        answer = doctor(project)
    found = rows(answer)
    assert answer.status == ExitStatus.OK
    assert results(found) == dict.fromkeys(CHECKS, "ok")
    assert f"namespace {namespace}" in found["cluster"]["found"]
    assert experiments(namespace) == before
    assert volume_pods(namespace) == []


@pytest.mark.alone
def test_the_rights_of_the_role_are_enough(
    project: ProjectDirectory, namespace: str, tmp_path: Path
) -> None:
    config = write_kubeconfig("housectl", namespace, tmp_path / "config")
    answer = doctor(project, KUBECONFIG=config)
    found = rows(answer)
    assert answer.status == ExitStatus.OK
    # Other people's pods are none of its business.
    others = {"capacity": "warning", "database": "warning"}
    assert results(found) == {**dict.fromkeys(CHECKS, "ok"), **others}
    assert "may not list pods on the whole cluster" in found["capacity"]["found"]
    assert found["database"]["found"].startswith("Katib's database cannot be checked: ")
    assert "may not list pods in the namespace kubeflow" in found["database"]["found"]


def test_rights_that_are_missing_are_named(
    project: ProjectDirectory, namespace: str, tmp_path: Path
) -> None:
    config = write_kubeconfig("housectl-trial", namespace, tmp_path / "config")
    answer = doctor(project, KUBECONFIG=config)
    found = rows(answer)
    assert answer.status == ExitStatus.CLUSTER
    assert found["Katib"]["result"] == "ok"
    assert found["permissions"]["result"] == "failed"
    for missing in (
        "get, list, watch, create, patch, delete experiments.kubeflow.org",
        "get, create pods/exec",
        "get, patch persistentvolumeclaims",
    ):
        assert missing in found["permissions"]["found"]
    hint = found["permissions"]["hint"]
    assert "auth can-i get experiments.kubeflow.org" in hint
    assert f"housectl cluster init --namespace {namespace}" in hint
    for unread in ("namespace", "algorithm", "capacity"):
        assert found[unread]["result"] == "warning"
        assert "cannot be checked" in found[unread]["found"]
        assert "auth can-i" in found[unread]["hint"]
    assert found["search"]["found"] == "needs rights"


@pytest.fixture
def bare() -> Iterator[str]:
    """A namespace that was not prepared."""
    with new_namespace() as name:
        yield name
    kubectl("delete", "clusterrolebinding", f"housectl-reader-{name}", "--ignore-not-found")


def test_a_namespace_without_katibs_label_is_cured(project: ProjectDirectory, bare: str) -> None:
    options = ("--namespace", bare)
    found = rows(doctor(project, *options))
    assert found["namespace"]["result"] == "failed"
    assert "katib.kubeflow.org/metrics-collector-injection=enabled" in found["namespace"]["found"]
    assert found["search"]["result"] == "skipped"
    assert "has no label" in refused(project, *options).err
    program, *hint = shlex.split(found["namespace"]["hint"])
    assert program == "housectl"
    project.run_ok(*hint, **kubectl_environment())
    assert doctor(project, *options).status == ExitStatus.OK


@pytest.mark.parametrize(
    ("options", "check", "said", "hint"),
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
def test_what_is_missing_is_named_and_keeps_a_search_from_starting(
    project: ProjectDirectory, options: Sequence[str], check: str, said: str, hint: str
) -> None:
    answer = doctor(project, *options)
    found = rows(answer)
    assert answer.status == ExitStatus.CLUSTER
    assert found[check]["result"] == "failed"
    assert said in found[check]["found"]
    assert hint in found[check]["hint"]
    assert found["image"]["result"] == "skipped"
    err = refused(project, *options).err
    assert said in err
    assert hint in err


def test_a_trial_that_fits_no_node(project: ProjectDirectory, namespace: str) -> None:
    project.edit_config(katib={**SMALL, "namespace": namespace, "cpu": "5000"})
    found = rows(doctor(project))
    assert found["capacity"]["result"] == "failed"
    assert (
        "A trial fits no node: with Katib's collector it asks for 5000.05 CPU"
        in (found["capacity"]["found"])
    )
    assert "describe nodes" in found["capacity"]["hint"]
    assert "fits no node" in refused(project).err


def test_more_trials_than_there_is_room_for(project: ProjectDirectory, namespace: str) -> None:
    nodes = json.loads(kubectl("get", "nodes", "--output=json"))["items"]
    cores = max(parse_quantity(node["status"]["allocatable"]["cpu"]) for node in nodes)
    katib = {**SMALL, "namespace": namespace, "cpu": f"{cores * 700:.0f}m"}
    project.edit_config(katib=katib, workers=4)
    answer = doctor(project)
    found = rows(answer)["capacity"]
    assert answer.status == ExitStatus.OK
    assert found["result"] == "warning"
    assert "of 4 trials at the same time" in found["found"]


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("housectl-trainer:nowhere", "the image housectl-trainer:nowhere cannot be pulled"),
        (SERVER_IMAGE, "No module named trainer"),
        ("No Image", "No Image is no name of an image"),
    ],
)
def test_an_image_that_is_no_trainer(
    project: ProjectDirectory, namespace: str, image: str, said: str
) -> None:
    answer = doctor(project, "--image", image)
    found = rows(answer)["image"]
    assert answer.status == ExitStatus.CLUSTER
    assert found["result"] == "failed"
    assert said in found["found"]
    assert "--image IMAGE" in found["hint"]
    assert volume_pods(namespace) == []


@contextmanager
def claim_of(namespace: str, name: str, storage_class: str) -> Iterator[None]:
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
    """A claim of a storage class that is not there, once the cluster has said so."""
    with claim_of(namespace, "unbound", "nowhere"):
        told(namespace, "unbound", "ProvisioningFailed")
        yield "unbound"


@pytest.fixture
def patient(namespace: str) -> Iterator[str]:
    """A claim that is given its volume when a pod first needs it."""
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "housectl-tests-patient"},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    kubectl("apply", "--filename=-", stdin=json.dumps(storage_class))
    with claim_of(namespace, "patient", "housectl-tests-patient"):
        told(namespace, "patient", "WaitForFirstConsumer")
        yield "patient"
    kubectl("delete", "storageclass/housectl-tests-patient")


def told(namespace: str, name: str, reason: str) -> None:
    about = f"--field-selector=involvedObject.name={name},reason={reason}"
    deadline = time.monotonic() + 60
    while not kubectl("get", "events", f"--namespace={namespace}", about, "--output=name"):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_claim_that_gets_no_volume(project: ProjectDirectory, unbound: str) -> None:
    answer = doctor(project, "--pvc", unbound)
    found = rows(answer)
    assert answer.status == ExitStatus.CLUSTER
    assert found["pvc"]["result"] == "failed"
    assert 'storageclass.storage.k8s.io "nowhere" not found' in found["pvc"]["found"]
    assert f"describe pvc {unbound}" in found["pvc"]["hint"]
    assert found["image"]["found"] == "needs claim"


def test_a_claim_that_waits_for_its_first_pod_is_fine(
    project: ProjectDirectory, patient: str
) -> None:
    # An algorithm that is none keeps the pod from running, which would wait for a volume in vain.
    found = rows(doctor(project, "--pvc", patient, "--algorithm", "none"))
    assert found["pvc"]["result"] == "ok"
    assert "is given its volume when a pod first needs it" in found["pvc"]["found"]
    assert found["image"]["found"] == "needs search"


@contextmanager
def second_node() -> Iterator[None]:
    """Have another node of Minikube's for some seconds, without a kubelet and room for no pod."""
    # A node that was there before would be known to have no kubelet.
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
            time.sleep(0.2)
        yield
    finally:
        kubectl("delete", f"node/{name}")


@pytest.mark.alone
def test_a_folder_of_each_node_keeps_a_search_from_starting(
    project: ProjectDirectory, namespace: str
) -> None:
    made = "volume.kubernetes.io/storage-provisioner=k8s.io/minikube-hostpath"
    with claim_of(namespace, "folder", "standard"):
        bind(namespace, "folder")
        kubectl("annotate", "--overwrite", f"--namespace={namespace}", "pvc/folder", made)
        with second_node():
            answer = doctor(project, "--pvc", "folder")
        found = rows(answer)["pvc"]
        assert answer.status == ExitStatus.CLUSTER
        assert found["result"] == "failed"
        assert "2 nodes take pods: on the others" in found["found"]
        program, *hint = shlex.split(found["hint"].partition("   #")[0])
        assert program == "kubectl"
        with second_node():
            assert "2 nodes take pods: on the others" in refused(project, "--pvc", "folder").err
            kubectl(*hint)
            assert rows(doctor(project, "--pvc", "folder"))["pvc"]["result"] == "ok"


def test_a_pod_that_starts_too_late_is_explained(namespace: str, patient: str) -> None:
    pods = VolumePods(kube=Kube(None, namespace), pvc=patient, image=TRAINER_IMAGE, timeout=12)
    with pytest.raises(PodError, match="no node takes it"), pods.running(read_only=True):
        pass
    assert volume_pods(namespace) == []


def test_the_pod_goes_with_ctrl_c(project: ProjectDirectory, namespace: str, patient: str) -> None:
    started = subprocess.Popen(
        [HOUSECTL, "doctor", "--pvc", patient],
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
    """Return the pods that bring files and are not being deleted."""
    found = json.loads(
        kubectl(
            *("get", "pods", f"--namespace={namespace}", "--output=json"),
            "--selector=app.kubernetes.io/component=volume",
        )
    )
    return [
        each["metadata"]["name"]
        for each in found["items"]
        if "deletionTimestamp" not in each["metadata"]
    ]


@pytest.mark.alone
def test_katibs_webhooks_are_away(project: ProjectDirectory, namespace: str) -> None:
    with without_webhooks(namespace):
        answer = doctor(project)
    found = rows(answer)
    assert answer.status == ExitStatus.CLUSTER
    assert found["Katib"]["result"] == "ok"
    assert found["search"]["result"] == "failed"
    assert "failed calling webhook" in found["search"]["found"]
    assert "get pods" in found["search"]["hint"]
    assert found["image"]["found"] == "needs search"
    assert doctor(project).status == ExitStatus.OK


@pytest.mark.alone
def test_a_collector_that_cannot_be_pulled(project: ProjectDirectory, namespace: str) -> None:
    with without_collector("127.0.0.1:1/absent:1"):
        answer = doctor(project)
    found = rows(answer)
    assert answer.status == ExitStatus.CLUSTER
    assert found["image"]["result"] == "ok"
    assert found["collector"]["result"] == "failed"
    assert "the image 127.0.0.1:1/absent:1 cannot be pulled" in found["collector"]["found"]
    assert "edit configmap katib-config -n kubeflow" in found["collector"]["hint"]
    assert volume_pods(namespace) == []


@pytest.fixture
def pause() -> str:
    """An image that nodes have, and in which there is nothing that could be called."""
    (node, *_) = json.loads(kubectl("get", "nodes", "--output=json"))["items"]
    names = (name for image in node["status"]["images"] for name in image["names"] or [])
    return next(name for name in names if "pause:" in name)


@pytest.mark.alone
def test_a_collector_without_programs_is_on_the_node_too(
    project: ProjectDirectory, pause: str
) -> None:
    with without_collector(pause):
        found = rows(doctor(project))["collector"]
    assert found["result"] == "ok", found
    assert pause in found["found"]


KATIB = "--namespace=kubeflow"
MANAGER = "deployment/katib-db-manager"


@contextmanager
def katib_pod(component: str, *command: str) -> Iterator[None]:
    """Let Katib have another pod of one of its parts, which runs a command for ever."""
    name = f"housectl-tests-{component}"
    labels = {"katib.kubeflow.org/component": component}
    container = {"name": "main", "image": TRAINER_IMAGE, "command": list(command)}
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "kubeflow", "labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }
    kubectl("apply", "--filename=-", stdin=json.dumps(manifest))
    try:
        yield
    finally:
        kubectl("delete", KATIB, f"pod/{name}")


def has_database() -> bool:
    return bool(kubectl("get", KATIB, MANAGER, "--ignore-not-found", "--output=name"))


def wait_for_database() -> None:
    kubectl("wait", KATIB, "pod/housectl-tests-db-manager", "--for=condition=Ready")


@contextmanager
def with_database() -> Iterator[None]:
    """Have a Katib whose database's manager is ready; that of a stand-in has no pod by itself."""
    if has_database():
        yield
        return
    with katib_pod("db-manager", "sleep", "600"):
        wait_for_database()
        yield


@contextmanager
def without_database() -> Iterator[None]:
    """Have a Katib without its database's manager; of a stand-in, no part has pods by itself."""
    if not has_database():
        with katib_pod("controller", "sleep", "600"):
            yield
        return
    kubectl("scale", KATIB, MANAGER, "--replicas=0")
    selector = "--selector=katib.kubeflow.org/component=db-manager"
    kubectl("wait", KATIB, "pod", selector, "--for=delete", "--timeout=60s")
    try:
        yield
    finally:
        kubectl("scale", KATIB, MANAGER, "--replicas=1")
        kubectl("rollout", "status", KATIB, MANAGER, "--timeout=120s")


@pytest.mark.alone
def test_katibs_database_has_no_pod(project: ProjectDirectory) -> None:
    with without_database():
        answer = doctor(project)
    found = rows(answer)
    assert answer.status == ExitStatus.CLUSTER
    assert found["Katib"]["result"] == "ok"
    database = found["database"]
    assert database["result"] == "failed"
    assert "No pod of db-manager, a part of Katib's database, is ready" in database["found"]
    assert "scale deployment katib-db-manager --replicas=1" in database["hint"]
    assert found["search"]["result"] == "skipped"


@pytest.mark.alone
def test_katibs_database_crashes(project: ProjectDirectory) -> None:
    with without_database():
        with katib_pod("db-manager", "false"):
            found = rows(doctor(project))["database"]
        assert found["result"] == "failed"
        assert "No pod of db-manager" in found["found"]
        assert "describe pods -l katib.kubeflow.org/component=db-manager" in found["hint"]
        with katib_pod("db-manager", "sleep", "600"):
            wait_for_database()
            found = rows(doctor(project))["database"]
        assert found["result"] == "ok"
        assert "db-manager run in the namespace kubeflow" in found["found"]


@pytest.mark.alone
def test_katibs_database_is_elsewhere(project: ProjectDirectory) -> None:
    needs_parts()
    found = rows(doctor(project))["database"]
    assert found["result"] == "warning"
    assert "Katib has no pods in the namespace kubeflow" in found["found"]
    assert found["hint"].endswith("get pods -A -l katib.kubeflow.org/component")
