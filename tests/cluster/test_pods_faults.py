"""Pods of trials that do not start: `housectl status` says why, and what to type."""

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
    PATIENCE_SECONDS,
    POD,
    TRAINER,
    VALUES,
    Changes,
    Drills,
    begin_all,
    drilling,
)
from tools.dev_cluster.images import TRAINER_IMAGE as IMAGE
from tools.project_directory import HOUSECTL, clean_environment

pytestmark = pytest.mark.alone


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is changed in an Experiment, and what is then said of its only trial."""

    changes: Changes = field(default_factory=dict)
    options: tuple[str, ...] = ()
    what: str
    hint: str

    @property
    def reason(self) -> str:
        return f"The running trial is stuck: {self.what} Hint: {self.hint}"


CLAIM = f"{POD}.volumes.0.persistentVolumeClaim.claimName"
FAULTS = {
    "no-registry": Fault(
        changes={f"{TRAINER}.image": "127.0.0.1:1/trainer:1"},
        what="the image 127.0.0.1:1/trainer:1 cannot be pulled: dial tcp 127.0.0.1:1: connect: "
        "connection refused.",
        hint="kubectl describe pod {pod} -n {namespace}   # then push the image, or name another: "
        "housectl tune --image IMAGE",
    ),
    "never-pulled": Fault(
        changes={f"{TRAINER}.image": "absent:1", f"{TRAINER}.imagePullPolicy": "Never"},
        what="the node {node} has no image absent:1, and its pull policy is Never.",
        hint="minikube image load absent:1   # with kind: kind load docker-image absent:1; or name "
        "another: housectl tune --image IMAGE",
    ),
    "no-config": Fault(
        changes={f"{TRAINER}.envFrom": [{"configMapRef": {"name": "absent"}}]},
        what="it needs the configmap absent, which is not in the namespace {namespace}.",
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
        what="it needs the key none of the configmap kube-root-ca.crt, which has none of that "
        "name.",
        hint="kubectl describe configmap kube-root-ca.crt -n {namespace}",
    ),
    "no-secret": Fault(
        changes={f"{POD}.volumes.1": {"name": "tmp", "secret": {"secretName": "absent"}}},
        what="it needs the secret absent, which is not in the namespace {namespace}.",
        hint="kubectl get secrets -n {namespace}",
    ),
    "cpu": Fault(
        changes={
            f"{TRAINER}.resources.requests.cpu": "900",
            f"{TRAINER}.resources.limits.cpu": "900",
        },
        what="it waits for cpu: it asks for 900, and no node has that free (1 Insufficient cpu).",
        hint="kubectl describe nodes   # shows what is free; what it asks for stands under katib: "
        "in housectl.yaml",
    ),
    "memory": Fault(
        changes={
            f"{TRAINER}.resources.requests.memory": "8Ti",
            f"{TRAINER}.resources.limits.memory": "8Ti",
        },
        what="it waits for memory: it asks for 8Ti, and no node has that free (1 Insufficient "
        "memory).",
        hint="kubectl describe nodes   # shows what is free; what it asks for stands under katib: "
        "in housectl.yaml",
    ),
    "no-claim": Fault(
        changes={CLAIM: "absent"},
        what="it waits for the claim absent, which is not in the namespace {namespace}.",
        hint="kubectl get pvc -n {namespace}   # then name one of these with --pvc, or make absent",
    ),
    "unbound-claim": Fault(
        changes={CLAIM: "unbound"},
        what="it waits for the claim unbound, which has no volume yet: "
        'storageclass.storage.k8s.io "absent" not found.',
        hint="kubectl describe pvc unbound -n {namespace}   # kubectl get storageclass lists what "
        "can provide one",
    ),
    "no-node": Fault(
        changes={f"{POD}.nodeSelector": {"disk": "fast"}},
        what="no node has the labels disk=fast that it selects nodes by (1 node(s) didn't match "
        "Pod's node affinity/selector).",
        hint="kubectl get nodes --show-labels",
    ),
    "no-account": Fault(
        changes={f"{POD}.serviceAccountName": "absent"},
        what="the service account absent is not in the namespace {namespace}.",
        hint="kubectl create serviceaccount absent -n {namespace}",
    ),
    "no-command": Fault(
        changes={
            f"{TRAINER}.command": None,
            f"{TRAINER}.args": VALUES.split(),
        },
        what="Katib refuses its pod: the container has no command, and Katib cannot look it up in "
        f"the image {IMAGE}.",
        hint="kubectl get jobs -o yaml -n {namespace}   # then correct trialTemplate, and submit "
        "it anew",
    ),
    "no-primary": Fault(
        changes={"spec.trialTemplate.primaryContainerName": "training"},
        what="Katib refuses its pod: no container is called training, as primaryContainerName "
        "says.",
        hint="kubectl get jobs -o yaml -n {namespace}   # then correct trialTemplate, and submit "
        "it anew",
    ),
}
LIMITED = {
    "limit-range": Fault(
        options=("--trial-memory", "4Gi"),
        what="the limit range of the namespace {namespace} forbids it: maximum memory usage per "
        "Container is 2Gi, but limit is 4Gi.",
        hint="kubectl describe limitrange -n {namespace}   # then ask for what it allows: "
        "--trial-memory, and katib: in housectl.yaml",
    ),
    "quota": Fault(
        options=("--trial-memory", "1536Mi"),
        what="the quota small of the namespace {namespace} is used up (requested: "
        "limits.memory=1636Mi, used: limits.memory=200Mi, limited: limits.memory=1Gi).",
        hint="kubectl describe resourcequota small -n {namespace}   # fewer trials at a time need "
        "less: --workers 1; what each asks for stands under katib: in housectl.yaml",
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
# What hints have people type, who may have no more rights than the account of the commands.
LOOKS = """
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
def drills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drills]:
    """A namespace in which all faults have been begun at once."""
    yield from begun(tmp_path_factory.mktemp("pods"), UNBOUND, FAULTS)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drills]:
    """A namespace that allows little, in which all faults have been begun at once."""
    yield from begun(tmp_path_factory.mktemp("limited"), SMALL, LIMITED)


def begun(directory: Path, objects: str, faults: dict[str, Fault]) -> Iterator[Drills]:
    with drilling(directory) as drills:
        drills.kubectl("apply", "--filename=-", given=objects)
        begin_all(drills, faults)
        yield drills


@pytest.mark.parametrize("name", FAULTS)
def test_a_pod_that_does_not_start(name: str, drills: Drills) -> None:
    drills.expect(name, FAULTS[name].reason)


@pytest.mark.parametrize("name", LIMITED)
def test_a_pod_that_the_namespace_does_not_allow(name: str, limited: Drills) -> None:
    limited.expect(name, LIMITED[name].reason)


def test_the_rights_of_the_role_are_enough_for_cures(limited: Drills, tmp_path: Path) -> None:
    limited.expect("quota", LIMITED["quota"].reason)
    rights = f"--kubeconfig={write_kubeconfig('housectl', limited.namespace, tmp_path / 'config')}"
    for look in limited.named("quota", LOOKS.strip()).splitlines():
        limited.kubectl(*look.split(), rights)


def test_who_waits_is_told_at_once(drills: Drills) -> None:
    expected = f"no-account: {drills.named('no-account', FAULTS['no-account'].reason)}\n"
    process = subprocess.Popen(
        [HOUSECTL, "tune", "--resume", "no-account"],
        cwd=drills.project.path,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    too_long = Timer(PATIENCE_SECONDS, process.kill)
    too_long.start()
    told = list(takewhile(lambda line: line != expected, process.stderr))
    too_long.cancel()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate()
    assert process.returncode == ExitStatus.INTERRUPTED, (told, rest)
    assert "housectl tune --resume no-account" in rest


def test_inputs_do_not_come_to_the_claim_without_an_image(drills: Drills) -> None:
    image = "127.0.0.1:1/trainer:1"
    answer = drills.run("tune", "--name", "unsent", "--image", image, "--json")
    assert answer.status == ExitStatus.CLUSTER
    error = answer.json["error"]
    assert isinstance(error, dict)
    assert error["message"] == (
        f"The pod that reaches the claim: the image {image} cannot be pulled: dial tcp "
        "127.0.0.1:1: connect: connection refused."
    )
    assert error["hint"].startswith(f"{EVENTS}=housectl-volume-")
    assert "unsent" not in drills.kubectl("get", "experiments,pods", "--output=name")
