"""Pods that do not start, and pods that were taken away."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from housectl.backends.katib.diagnosis.cause import first_cause
from housectl.backends.katib.diagnosis.pod import POD_PROBES
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.pods import PodVolume, PvcSource
from tests.backends.katib.diagnosis.edits import (
    cause_of,
    creation_time,
    edit,
    event,
    waiting_case,
    with_condition,
    with_pod,
)
from tests.backends.katib.diagnosis.recorded_cases import job_case

ABSENT = "docker.io/team/absent:1"
RESOLVE_FAILED = (
    f'failed to pull and unpack image "{ABSENT}": failed to resolve reference "{ABSENT}": '
)
ACCESS_DENIED = (
    "pull access denied, repository does not exist or may require authorization: server message: "
    "insufficient_scope: authorization failed"
)
TOO_MANY_REQUESTS = (
    "unexpected status from HEAD request to https://docker.io/v2: 429 Too Many Requests"
)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (f"{RESOLVE_FAILED}{ABSENT}: not found", "not found"),
        (
            f'Back-off pulling image "{ABSENT}": ErrImagePull: {RESOLVE_FAILED}{ACCESS_DENIED}',
            ACCESS_DENIED,
        ),
        (
            f"rpc error: code = Unknown desc = {RESOLVE_FAILED}{TOO_MANY_REQUESTS}",
            TOO_MANY_REQUESTS,
        ),
    ],
)
def test_pull_failure_shows_only_registry_error(message: str, words: str) -> None:
    case = waiting_case("pull", "ImagePullBackOff", message)
    assert cause_of(case).startswith(
        f"the image localhost/absent:1 cannot be pulled: {words}. Hint: "
    )


def test_registry_error_from_event_of_older_kubelet() -> None:
    case = waiting_case("pull", "ImagePullBackOff", 'Back-off pulling image "localhost/absent:1"')
    assert "cannot be pulled: dial tcp 127.0.0.1:80: connect: connection refused." in cause_of(case)
    silent = replace(case, events=[])
    assert cause_of(silent).startswith("the image localhost/absent:1 cannot be pulled. Hint: ")


def test_local_image_not_loaded_to_node() -> None:
    image = "docker.io/library/housectl-trainer:dev"
    message = (
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
        f"{ACCESS_DENIED}"
    )
    case = waiting_case("pull", "ErrImagePull", message)
    spec = case.pods[0].spec
    containers = [edit(spec.containers[0], image="housectl-trainer:dev")]
    assert cause_of(with_pod(case, spec=edit(spec, containers=containers))) == (
        f"the image housectl-trainer:dev cannot be pulled: {ACCESS_DENIED}. Hint: minikube image "
        "load housectl-trainer:dev   # with kind: kind load docker-image housectl-trainer:dev; or "
        "choose another image: housectl tune --image IMAGE"
    )


@pytest.mark.parametrize("reason", ["CreateContainerError", "RunContainerError"])
def test_command_missing_in_image(reason: str) -> None:
    message = (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
        'runc create failed: unable to start container process: exec: "python": executable file '
        "not found in $PATH: unknown"
    )
    assert cause_of(waiting_case("pull", reason, message)) == (
        "the command of the image localhost/absent:1 cannot be started: exec: "
        '"python": executable file not found in $PATH. Hint: kubectl describe pod pull-4w5qm -n '
        "diag   # then choose another image: housectl tune --image IMAGE"
    )


@pytest.mark.parametrize(
    "message",
    [
        "Error response from daemon: No command specified",
        'failed to generate container "1f" spec: failed to generate spec: no command specified',
    ],
)
def test_image_without_command(message: str) -> None:
    assert cause_of(waiting_case("pull", "CreateContainerError", message)) == (
        f"the command of the image localhost/absent:1 cannot be started: {message}. Hint: kubectl "
        "describe pod pull-4w5qm -n diag   # then choose another image: housectl tune --image IMAGE"
    )


@pytest.mark.parametrize(
    "message",
    [
        'failed to reserve container name "trainer_x_0": name "trainer_x_0" is reserved for "abc"',
        "context deadline exceeded",
    ],
)
def test_container_create_failed(message: str) -> None:
    assert cause_of(waiting_case("pull", "CreateContainerError", message)) == (
        f"its container cannot be created: {message}. Hint: kubectl describe pod pull-4w5qm -n diag"
    )


TAINTED = "3 node(s) had untolerated taint {dedicated: gpu}"
MIXED = "1 node(s) had untolerated taint {a: b}, 2 Insufficient memory"
BOTH = "1 Insufficient cpu, 1 Insufficient memory"
AFFINITY_CONFLICT = "1 node(s) had volume node affinity conflict"
CAPACITY_HINT = (
    "kubectl describe nodes   # shows free resources; --workers 1 runs one trial at a time; a "
    "ReadWriteMany PVC (--pvc) lets all nodes run trials"
)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            f"0/3 nodes are available: {TAINTED}. preemption: 0/3 nodes are available: none.",
            (
                f"every node has a taint that its pod does not tolerate ({TAINTED}). Hint: kubectl "
                "describe nodes   # shows the taints; remove one with kubectl taint nodes NODE KEY-"
            ),
        ),
        (
            f"0/3 nodes are available: {MIXED}.",
            (
                f"no node has enough free memory ({MIXED}). Hint: kubectl "
                "describe nodes   # shows free resources; its requests are set under katib: in "
                "housectl.yaml"
            ),
        ),
        (
            f"0/1 nodes are available: {BOTH}.",
            (
                f"no node has enough free cpu and memory ({BOTH}). Hint: kubectl "
                "describe nodes   # shows free resources; its requests are set under katib: in "
                "housectl.yaml"
            ),
        ),
        (
            f"0/1 nodes are available: {AFFINITY_CONFLICT}.",
            (
                f"no node with access to its volume can run its pod ({AFFINITY_CONFLICT}). Hint: "
                f"{CAPACITY_HINT}"
            ),
        ),
        (
            "no nodes available to schedule pods",
            (
                "no node can run its pod: no nodes available to schedule pods. Hint: kubectl "
                "describe pod cpu-d74lq -n diag"
            ),
        ),
    ],
)
def test_unschedulable_pod(message: str, expected: str) -> None:
    assert (
        cause_of(with_condition("cpu", "PodScheduled", "False", "Unschedulable", message))
        == expected
    )


@pytest.mark.parametrize(
    "reasons",
    [
        "1 Insufficient cpu, 2 node(s) had volume node affinity conflict",
        "1 Insufficient cpu, 2 node(s) didn't match PersistentVolume's node affinity",
        f"{TAINTED}, {AFFINITY_CONFLICT}",
    ],
)
def test_node_of_volume_has_no_capacity(reasons: str) -> None:
    message = f"0/3 nodes are available: {reasons}. preemption: 0/3 nodes are available: none."
    case = with_condition("cpu", "PodScheduled", "False", "Unschedulable", message)
    volume = PodVolume(name="models", persistent_volume_claim=PvcSource(claim_name="model-storage"))
    mounted = with_pod(case, spec=edit(case.pods[0].spec, volumes=[volume]))
    assert cause_of(mounted) == (
        "no node with access to the volume of the PVC model-storage can run its pod "
        f"({reasons}). Hint: {CAPACITY_HINT}"
    )
    assert cause_of(replace(mounted, now=creation_time(mounted) + timedelta(seconds=9))) == "None"


def test_transient_condition_is_ignored_within_grace_time() -> None:
    for name in ("cpu", "mem", "claimnopv", "selector"):
        case = job_case(name)
        assert cause_of(replace(case, now=creation_time(case) + timedelta(seconds=9))) == "None"
        assert cause_of(replace(case, now=creation_time(case) + timedelta(seconds=10))) != "None"


def test_single_mount_failure_is_ignored_within_grace_time() -> None:
    case = job_case("cmvolume")
    once = [msgspec.structs.replace(case.events[-1], count=1)]
    early = replace(case, events=once, now=creation_time(case) + timedelta(seconds=29))
    assert cause_of(early) == "None"
    assert cause_of(replace(early, now=creation_time(case) + timedelta(seconds=30))) != "None"


@pytest.mark.parametrize("later_reason", ["SuccessfulAttachVolume", "Pulling", "Pulled"])
def test_mount_failure_before_successful_mount_is_ignored(later_reason: str) -> None:
    case = job_case("cmvolume")
    failed = case.events[-1]
    attached = edit(failed, reason=later_reason, message="succeeded", last_timestamp=failed.latest)
    for events in ([*case.events, attached], [attached, *case.events]):
        assert cause_of(replace(case, events=events)) == "None"
    assert failed.latest
    before = edit(attached, last_timestamp=failed.latest - timedelta(seconds=1))
    assert cause_of(replace(case, events=[*case.events, before])) == (
        "the configmap absent is missing in the namespace diag. Hint: kubectl get "
        "configmaps -n diag"
    )


def test_unbound_pvc_without_events() -> None:
    case = replace(job_case("claimnopv"), events=[])
    assert cause_of(case) == (
        "the PVC nopv has no volume yet. Hint: kubectl describe pvc -n diag"
        "   # kubectl get storageclass lists the available storage classes"
    )


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            "PreemptionByScheduler",
            "its pod was preempted by a pod of higher priority on the node testbed.",
        ),
        ("DeletionByTaintManager", "its pod was evicted because of a taint of the node testbed."),
        ("DeletionByPodGC", "its pod was lost with the node testbed."),
        ("TerminationByKubelet", "its pod was terminated by the node testbed."),
        ("Other", "its pod was evicted: as somebody wanted."),
    ],
)
def test_disrupted_pod(reason: str, expected: str) -> None:
    case = with_condition("exit", "DisruptionTarget", "True", reason, "as somebody wanted")
    assert cause_of(case) == f"{expected} Hint: kubectl describe node testbed"


def test_pod_rejected_by_node() -> None:
    case = job_case("exit")
    status = msgspec.structs.replace(
        case.pods[0].status, reason="OutOfcpu", message="Node didn't have enough resource: cpu"
    )
    assert cause_of(with_pod(case, status=status)) == (
        "its pod was rejected or terminated by the node testbed: OutOfcpu: Node didn't have enough "
        "resource: cpu. Hint: kubectl describe node testbed"
    )


def test_unreachable_node() -> None:
    case = with_condition("evictapi", "Ready", "False", "", "")
    not_ready = event("Pod", case.pods[0].metadata.name, "NodeNotReady", "Node is not ready")
    assert cause_of(replace(case, events=[not_ready])) == (
        "the node testbed is unreachable. Hint: kubectl describe node testbed"
    )


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Preempted", "its pod was preempted by a pod of higher priority"),
        ("TaintManagerEviction", "its pod was evicted because its node was tainted or lost"),
        ("Evicted", "its pod was evicted"),
        ("NodeNotReady", "its pod was lost with its node"),
    ],
)
def test_deleted_pod(reason: str, expected: str) -> None:
    case = job_case("deleteme")
    events = [*case.events, event("Pod", "deleteme-ldhbt", reason, "details")]
    assert cause_of(replace(case, events=events)) == (
        f"{expected}: details. Hint: kubectl get events --field-selector "
        "involvedObject.name=deleteme-ldhbt -n diag"
    )


def test_missing_pod_without_events() -> None:
    assert cause_of(replace(job_case("deleteme"), events=[])) == (
        "its pod is missing: it was deleted, or lost with its node. Hint: kubectl get events "
        "--sort-by=.lastTimestamp -n diag"
    )


def test_pod_deleted_after_termination_shows_termination() -> None:
    case = job_case("oom")
    last = msgspec.structs.replace(
        case.pods[0].metadata,
        deletion_timestamp=case.now + timedelta(seconds=30),
        deletion_grace_period_seconds=30,
    )
    assert cause_of(with_pod(case, metadata=last)).startswith("out of memory: ")


def test_pod_deleted_while_running() -> None:
    case = job_case("exit")
    ended = case.pods[0].status.container_statuses[0].state.terminated
    assert ended is not None
    assert ended.finished_at is not None
    last = msgspec.structs.replace(
        case.pods[0].metadata,
        deletion_timestamp=ended.finished_at + timedelta(seconds=29),
        deletion_grace_period_seconds=30,
    )
    assert cause_of(with_pod(case, metadata=last)).startswith("its pod was deleted. Hint: ")


def test_transfer_pod() -> None:
    assert transfer_pod_cause("pull", after=0).startswith(
        "the image localhost/absent:1 cannot be pulled"
    )
    assert transfer_pod_cause("claimabsent", after=0).startswith("the PVC absent is missing in ")
    assert transfer_pod_cause("cpu", after=0) == "None"
    assert transfer_pod_cause("cpu", after=10).startswith("no node has enough free cpu: ")


def transfer_pod_cause(name: str, *, after: int) -> str:
    case = job_case(name)
    context = PodContext(
        target=KubectlTarget(namespace="diag"),
        pod=case.pods[0],
        events=(),
        now=creation_time(case) + timedelta(seconds=after),
    )
    return str(first_cause(POD_PROBES, context))
