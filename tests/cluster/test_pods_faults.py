"""Pods with injected faults: their causes and hints in `housectl status`."""

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from threading import Timer

import pytest

from housectl.errors import ExitStatus
from tests.cluster.accounts import write_kubeconfig
from tests.cluster.fault_injection import (
    PARAMETERS,
    POD,
    TIMEOUT_SECONDS,
    TRAINER,
    Changes,
    FaultNamespace,
    new_fault_namespace,
    start_all,
)
from tools.dev_cluster.images import TRAINER_IMAGE as IMAGE
from tools.project_directory import HOUSECTL, clean_environment


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Changes of an Experiment, and the expected cause of its only trial."""

    changes: Changes = field(default_factory=dict)
    options: tuple[str, ...] = ()
    message: str
    hint: str

    @property
    def reason(self) -> str:
        return f"The running trial is stuck: {self.message} Hint: {self.hint}"


PVC_PATH = f"{POD}.volumes.0.persistentVolumeClaim.claimName"
FAULTS = {
    "no-registry": Fault(
        changes={f"{TRAINER}.image": "127.0.0.1:1/trainer:1"},
        message="the image 127.0.0.1:1/trainer:1 cannot be pulled: dial tcp 127.0.0.1:1: connect: "
        "connection refused.",
        hint="kubectl describe pod {pod} -n {namespace}   # then push the image, or choose another "
        "image: housectl tune --image IMAGE",
    ),
    "never-pulled": Fault(
        changes={f"{TRAINER}.image": "absent:1", f"{TRAINER}.imagePullPolicy": "Never"},
        message="the image absent:1 is missing on the node {node}, and its pull policy is Never.",
        hint="minikube image load absent:1   # with kind: kind load docker-image absent:1; or "
        "choose another image: housectl tune --image IMAGE",
    ),
    "no-config": Fault(
        changes={f"{TRAINER}.envFrom": [{"configMapRef": {"name": "absent"}}]},
        message="the configmap absent is missing in the namespace {namespace}.",
        hint="kubectl get configmaps -n {namespace}",
    ),
    "no-key": Fault(
        changes={
            f"{TRAINER}.env": [
                {
                    "name": "CA",
                    "valueFrom": {"configMapKeyRef": {"name": "kube-root-ca.crt", "key": "none"}},
                }
            ]
        },
        message="the key none is missing in the configmap kube-root-ca.crt.",
        hint="kubectl describe configmap kube-root-ca.crt -n {namespace}",
    ),
    "no-secret": Fault(
        changes={f"{POD}.volumes.1": {"name": "tmp", "secret": {"secretName": "absent"}}},
        message="the secret absent is missing in the namespace {namespace}.",
        hint="kubectl get secrets -n {namespace}",
    ),
    "cpu": Fault(
        changes={
            f"{TRAINER}.resources.requests.cpu": "900",
            f"{TRAINER}.resources.limits.cpu": "900",
        },
        message="no node has enough free cpu: its pod requests 900 (1 Insufficient cpu).",
        hint="kubectl describe nodes   # shows free resources; its requests are set under katib: "
        "in housectl.yaml",
    ),
    "memory": Fault(
        changes={
            # Pods of other tests can use all CPUs of the node.
            f"{TRAINER}.resources.requests.cpu": "0",
            f"{TRAINER}.resources.requests.memory": "8Ti",
            f"{TRAINER}.resources.limits.memory": "8Ti",
        },
        message="no node has enough free memory: its pod requests 8Ti (1 Insufficient memory).",
        hint="kubectl describe nodes   # shows free resources; its requests are set under katib: "
        "in housectl.yaml",
    ),
    "no-pvc": Fault(
        changes={PVC_PATH: "absent"},
        message="the PVC absent is missing in the namespace {namespace}.",
        hint="kubectl get pvc -n {namespace}   # then pass one of them with --pvc, or "
        "create absent",
    ),
    "unbound-pvc": Fault(
        changes={PVC_PATH: "unbound"},
        message="the PVC unbound has no volume yet: "
        'storageclass.storage.k8s.io "absent" not found.',
        hint="kubectl describe pvc unbound -n {namespace}   # kubectl get storageclass lists the "
        "available storage classes",
    ),
    "no-node": Fault(
        changes={f"{POD}.nodeSelector": {"disk": "fast"}},
        message="no node has the labels disk=fast (1 node(s) didn't match Pod's node "
        "affinity/selector).",
        hint="kubectl get nodes --show-labels",
    ),
    "no-account": Fault(
        changes={f"{POD}.serviceAccountName": "absent"},
        message="the service account absent is missing in the namespace {namespace}.",
        hint="kubectl create serviceaccount absent -n {namespace}",
    ),
    "no-command": Fault(
        changes={
            f"{TRAINER}.command": None,
            f"{TRAINER}.args": PARAMETERS.split(),
        },
        message="Katib rejects its pod: the container has no command, and Katib cannot read the "
        f"command of the image {IMAGE}.",
        hint="kubectl get jobs -o yaml -n {namespace}   # then correct trialTemplate, and submit "
        "the experiment again",
    ),
    "no-primary": Fault(
        changes={"spec.trialTemplate.primaryContainerName": "training"},
        message="Katib rejects its pod: no container has the name training from "
        "primaryContainerName.",
        hint="kubectl get jobs -o yaml -n {namespace}   # then correct trialTemplate, and submit "
        "the experiment again",
    ),
}
LIMITED = {
    "limit-range": Fault(
        options=("--trial-memory", "4Gi"),
        message="the limit range of the namespace {namespace} rejects its pod: maximum memory "
        "usage per Container is 2Gi, but limit is 4Gi.",
        hint="kubectl describe limitrange -n {namespace}   # then stay within it: "
        "--trial-memory, and katib: in housectl.yaml",
    ),
    "quota": Fault(
        options=("--trial-memory", "1536Mi"),
        message="the quota small of the namespace {namespace} is exhausted (requested: "
        "limits.memory=1636Mi, used: limits.memory=200Mi, limited: limits.memory=1Gi).",
        hint="kubectl describe resourcequota small -n {namespace}   # --workers 1 runs one trial "
        "at a time; trial requests are set under katib: in housectl.yaml",
    ),
}
UNBOUND = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: unbound}
spec:
  storageClassName: absent
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
"""
# Commands of hints, which must work with the permissions of the account for commands.
HINT_COMMANDS = """
describe experiment {name}
describe suggestion {name}
describe trial {trial}
describe pod {service}
logs {service}
get job {trial}
get jobs
get events
get pvc
describe pvc
describe limitrange
describe resourcequota small
"""
EVENTS = "kubectl get events --field-selector involvedObject.name"
SMALL = """
apiVersion: v1
kind: LimitRange
metadata: {name: small}
spec: {limits: [{type: Container, max: {memory: 2Gi}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: small}
spec: {hard: {limits.memory: 1Gi}}
"""


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultNamespace]:
    """A namespace in which an experiment for each fault runs."""
    yield from faults_started(tmp_path_factory.mktemp("pods"), UNBOUND, FAULTS)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultNamespace]:
    """A namespace with small limits, in which an experiment for each fault runs."""
    yield from faults_started(tmp_path_factory.mktemp("limited"), SMALL, LIMITED)


def faults_started(
    directory: Path, objects: str, experiments: dict[str, Fault]
) -> Iterator[FaultNamespace]:
    with new_fault_namespace(directory) as faults:
        faults.kubectl("apply", "--filename=-", stdin=objects)
        start_all(faults, experiments)
        yield faults


@pytest.mark.parametrize("name", FAULTS)
def test_pod_fault(name: str, faults: FaultNamespace) -> None:
    faults.expect_reason(name, FAULTS[name].reason)


@pytest.mark.parametrize("name", LIMITED)
def test_pod_rejected_by_namespace(name: str, limited: FaultNamespace) -> None:
    limited.expect_reason(name, LIMITED[name].reason)


def test_role_permits_commands_of_hints(limited: FaultNamespace, tmp_path: Path) -> None:
    limited.expect_reason("quota", LIMITED["quota"].reason)
    kubeconfig = (
        f"--kubeconfig={write_kubeconfig('housectl', limited.namespace, tmp_path / 'config')}"
    )
    for command in limited.fill_names("quota", HINT_COMMANDS.strip()).splitlines():
        limited.kubectl(*command.split(), kubeconfig)


def test_waiting_command_prints_cause(faults: FaultNamespace) -> None:
    expected = f"no-account: {faults.fill_names('no-account', FAULTS['no-account'].reason)}\n"
    process = subprocess.Popen(
        [HOUSECTL, "tune", "--resume", "no-account"],
        cwd=faults.project.path,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    timeout = Timer(TIMEOUT_SECONDS, process.kill)
    timeout.start()
    lines = list(takewhile(lambda line: line != expected, process.stderr))
    timeout.cancel()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate()
    assert process.returncode == ExitStatus.INTERRUPTED, (lines, rest)
    assert "housectl tune --resume no-account" in rest


def test_upload_without_image_fails(faults: FaultNamespace) -> None:
    image = "127.0.0.1:1/trainer:1"
    answer = faults.run("tune", "--name", "unsent", "--image", image, "--json")
    assert answer.status == ExitStatus.CLUSTER
    error = answer.json["error"]
    assert isinstance(error, dict)
    assert error["message"] == (
        f"The pod for PVC model-storage: the image {image} cannot be pulled: dial tcp 127.0.0.1:1: "
        "connect: connection refused."
    )
    assert error["hint"].startswith(f"{EVENTS}=housectl-volume-")
    assert "unsent" not in faults.kubectl("get", "experiments,pods", "--output=name")
