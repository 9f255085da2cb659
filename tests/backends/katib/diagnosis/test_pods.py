"""Why pods do not start, and how they are taken away."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from housectl.backends.katib.diagnosis.cause import first_cause
from housectl.backends.katib.diagnosis.pod import POD_PROBES
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.pods import PvcSource, Volume
from tests.backends.katib.diagnosis.edits import (
    changed,
    conditioned,
    event,
    made,
    podded,
    said,
    waiting,
)
from tests.backends.katib.diagnosis.recorded_cases import job_case

ABSENT = "docker.io/team/absent:1"
UNRESOLVED = f'failed to pull and unpack image "{ABSENT}": failed to resolve reference "{ABSENT}": '
NO_ACCESS = (
    "pull access denied, repository does not exist or may require authorization: server message: "
    "insufficient_scope: authorization failed"
)
TOO_MANY = "unexpected status from HEAD request to https://docker.io/v2: 429 Too Many Requests"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (f"{UNRESOLVED}{ABSENT}: not found", "not found"),
        (f'Back-off pulling image "{ABSENT}": ErrImagePull: {UNRESOLVED}{NO_ACCESS}', NO_ACCESS),
        (f"rpc error: code = Unknown desc = {UNRESOLVED}{TOO_MANY}", TOO_MANY),
    ],
)
def test_only_the_registrys_own_words_are_told(message: str, words: str) -> None:
    case = waiting("pull", "ImagePullBackOff", message)
    assert said(case).startswith(f"the image localhost/absent:1 cannot be pulled: {words}. Hint: ")


def test_an_older_kubelet_tells_the_registrys_words_in_an_event_only() -> None:
    case = waiting("pull", "ImagePullBackOff", 'Back-off pulling image "localhost/absent:1"')
    assert "cannot be pulled: dial tcp 127.0.0.1:80: connect: connection refused." in said(case)
    silent = replace(case, events=[])
    assert said(silent).startswith("the image localhost/absent:1 cannot be pulled. Hint: ")


def test_an_image_that_was_not_brought_to_the_node() -> None:
    image = "docker.io/library/housectl-trainer:dev"
    message = (
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
        f"{NO_ACCESS}"
    )
    case = waiting("pull", "ErrImagePull", message)
    spec = case.pods[0].spec
    containers = [changed(spec.containers[0], image="housectl-trainer:dev")]
    assert said(podded(case, spec=changed(spec, containers=containers))) == (
        f"the image housectl-trainer:dev cannot be pulled: {NO_ACCESS}. Hint: minikube image load "
        "housectl-trainer:dev   # with kind: kind load docker-image housectl-trainer:dev; or name "
        "another: housectl tune --image IMAGE"
    )


@pytest.mark.parametrize("reason", ["CreateContainerError", "RunContainerError"])
def test_a_command_that_the_image_does_not_have(reason: str) -> None:
    message = (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
        'runc create failed: unable to start container process: exec: "python": executable file '
        "not found in $PATH: unknown"
    )
    assert said(waiting("pull", reason, message)) == (
        "the command of the image localhost/absent:1 cannot be started: exec: "
        '"python": executable file not found in $PATH. Hint: kubectl describe pod pull-4w5qm -n '
        "diag   # then name another: housectl tune --image IMAGE"
    )


@pytest.mark.parametrize(
    "message",
    [
        "Error response from daemon: No command specified",
        'failed to generate container "1f" spec: failed to generate spec: no command specified',
    ],
)
def test_an_image_without_a_command(message: str) -> None:
    assert said(waiting("pull", "CreateContainerError", message)) == (
        f"the command of the image localhost/absent:1 cannot be started: {message}. Hint: kubectl "
        "describe pod pull-4w5qm -n diag   # then name another: housectl tune --image IMAGE"
    )


@pytest.mark.parametrize(
    "message",
    [
        'failed to reserve container name "trainer_x_0": name "trainer_x_0" is reserved for "abc"',
        "context deadline exceeded",
    ],
)
def test_a_container_that_cannot_be_made(message: str) -> None:
    assert said(waiting("pull", "CreateContainerError", message)) == (
        f"its container cannot be made: {message}. Hint: kubectl describe pod pull-4w5qm -n diag"
    )


TAINTED = "3 node(s) had untolerated taint {dedicated: gpu}"
MIXED = "1 node(s) had untolerated taint {a: b}, 2 Insufficient memory"
APART = "1 node(s) had volume node affinity conflict"
ROOM = (
    "kubectl describe nodes   # shows what is free; fewer trials at a time need less: --workers 1; "
    "a claim with ReadWriteMany lets all nodes run them: --pvc"
)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            f"0/3 nodes are available: {TAINTED}. preemption: 0/3 nodes are available: none.",
            (
                f"every node has a taint that it does not tolerate ({TAINTED}). Hint: kubectl "
                "describe nodes   # shows them; one is taken away by kubectl taint nodes NODE KEY-"
            ),
        ),
        (
            f"0/3 nodes are available: {MIXED}.",
            (
                f"it waits for memory: no node has enough free ({MIXED}). Hint: kubectl "
                "describe nodes   # shows what is free; what it asks for stands under katib: in "
                "housectl.yaml"
            ),
        ),
        (
            f"0/1 nodes are available: {APART}.",
            (
                f"it has to run where its volume is, and no such node takes it ({APART}). Hint: "
                f"{ROOM}"
            ),
        ),
        (
            "no nodes available to schedule pods",
            (
                "no node takes it: no nodes available to schedule pods. Hint: kubectl describe pod "
                "cpu-d74lq -n diag"
            ),
        ),
    ],
)
def test_what_the_scheduler_says(message: str, expected: str) -> None:
    assert said(conditioned("cpu", "PodScheduled", "False", "Unschedulable", message)) == expected


@pytest.mark.parametrize(
    "reasons",
    [
        "1 Insufficient cpu, 2 node(s) had volume node affinity conflict",
        "1 Insufficient cpu, 2 node(s) didn't match PersistentVolume's node affinity",
        f"{TAINTED}, {APART}",
    ],
)
def test_a_node_that_has_the_volume_and_no_room(reasons: str) -> None:
    message = f"0/3 nodes are available: {reasons}. preemption: 0/3 nodes are available: none."
    case = conditioned("cpu", "PodScheduled", "False", "Unschedulable", message)
    claim = Volume(name="models", persistent_volume_claim=PvcSource(claim_name="model-storage"))
    mounted = podded(case, spec=changed(case.pods[0].spec, volumes=[claim]))
    assert said(mounted) == (
        "it has to run where the volume of the claim model-storage is, and no such node takes it "
        f"({reasons}). Hint: {ROOM}"
    )
    assert said(replace(mounted, now=made(mounted) + timedelta(seconds=9))) == "None"


def test_what_may_pass_by_itself_is_no_cause_at_once() -> None:
    for name in ("cpu", "mem", "claimnopv", "selector"):
        case = job_case(name)
        assert said(replace(case, now=made(case) + timedelta(seconds=9))) == "None"
        assert said(replace(case, now=made(case) + timedelta(seconds=10))) != "None"


def test_a_volume_that_could_not_be_mounted_once_is_no_cause() -> None:
    case = job_case("cmvolume")
    once = [msgspec.structs.replace(case.events[-1], count=1)]
    early = replace(case, events=once, now=made(case) + timedelta(seconds=29))
    assert said(early) == "None"
    assert said(replace(early, now=made(case) + timedelta(seconds=30))) != "None"


@pytest.mark.parametrize("cured", ["SuccessfulAttachVolume", "Pulling", "Pulled"])
def test_a_volume_that_was_mounted_after_all_is_no_cause(cured: str) -> None:
    case = job_case("cmvolume")
    failed = case.events[-1]
    attached = changed(
        failed, reason=cured, message="as it should be", last_timestamp=failed.latest
    )
    for events in ([*case.events, attached], [attached, *case.events]):
        assert said(replace(case, events=events)) == "None"
    assert failed.latest
    before = changed(attached, last_timestamp=failed.latest - timedelta(seconds=1))
    assert said(replace(case, events=[*case.events, before])) == (
        "it needs the configmap absent, which is not in the namespace diag. Hint: kubectl get "
        "configmaps -n diag"
    )


def test_a_claim_without_news_is_named() -> None:
    case = replace(job_case("claimnopv"), events=[])
    assert said(case) == (
        "it waits for the claim nopv, which has no volume yet. Hint: kubectl describe pvc -n diag"
        "   # kubectl get storageclass lists what can provide one"
    )


@pytest.mark.parametrize(
    ("reason", "what"),
    [
        (
            "PreemptionByScheduler",
            "it was preempted: a pod of higher priority took its place on the node testbed.",
        ),
        ("DeletionByTaintManager", "it was evicted, because of a taint of the node testbed."),
        ("DeletionByPodGC", "it was lost with the node testbed."),
        ("TerminationByKubelet", "it was ended by the node testbed."),
        ("Other", "it was evicted: as somebody wanted."),
    ],
)
def test_a_disrupted_pod(reason: str, what: str) -> None:
    case = conditioned("exit", "DisruptionTarget", "True", reason, "as somebody wanted")
    assert said(case) == f"{what} Hint: kubectl describe node testbed"


def test_a_pod_that_its_node_refuses() -> None:
    case = job_case("exit")
    status = msgspec.structs.replace(
        case.pods[0].status, reason="OutOfcpu", message="Node didn't have enough resource: cpu"
    )
    assert said(podded(case, status=status)) == (
        "it was refused or ended by the node testbed: OutOfcpu: Node didn't have enough resource: "
        "cpu. Hint: kubectl describe node testbed"
    )


def test_a_node_that_does_not_answer() -> None:
    case = conditioned("evictapi", "Ready", "False", "", "")
    told = event("Pod", case.pods[0].metadata.name, "NodeNotReady", "Node is not ready")
    assert said(replace(case, events=[told])) == (
        "the node testbed does not answer. Hint: kubectl describe node testbed"
    )


@pytest.mark.parametrize(
    ("reason", "what"),
    [
        ("Preempted", "its pod was preempted by one of higher priority"),
        ("TaintManagerEviction", "its pod was evicted, because its node was tainted or lost"),
        ("Evicted", "its pod was evicted"),
        ("NodeNotReady", "its pod was lost with its node"),
    ],
)
def test_a_pod_that_is_gone(reason: str, what: str) -> None:
    case = job_case("deleteme")
    told = [*case.events, event("Pod", "deleteme-ldhbt", reason, "so it is")]
    assert said(replace(case, events=told)) == (
        f"{what}: so it is. Hint: kubectl get events --field-selector "
        "involvedObject.name=deleteme-ldhbt -n diag"
    )


def test_a_pod_that_is_gone_without_a_trace() -> None:
    assert said(replace(job_case("deleteme"), events=[])) == (
        "its pod is not there: it was deleted, or lost with its node. Hint: kubectl get events "
        "--sort-by=.lastTimestamp -n diag"
    )


def test_a_pod_that_is_deleted_after_its_end_tells_of_its_end() -> None:
    case = job_case("oom")
    last = msgspec.structs.replace(
        case.pods[0].metadata,
        deletion_timestamp=case.now + timedelta(seconds=30),
        deletion_grace_period_seconds=30,
    )
    assert said(podded(case, metadata=last)).startswith("out of memory: ")


def test_a_pod_that_is_deleted_while_it_runs_tells_of_that() -> None:
    case = job_case("exit")
    ended = case.pods[0].status.container_statuses[0].state.terminated
    assert ended is not None
    assert ended.finished_at is not None
    last = msgspec.structs.replace(
        case.pods[0].metadata,
        deletion_timestamp=ended.finished_at + timedelta(seconds=29),
        deletion_grace_period_seconds=30,
    )
    assert said(podded(case, metadata=last)).startswith("its pod was deleted. Hint: ")


def test_a_pod_that_brings_files() -> None:
    assert volume_said("pull", after=0).startswith("the image localhost/absent:1 cannot be pulled")
    assert volume_said("claimabsent", after=0).startswith("it waits for the claim absent, which")
    assert volume_said("cpu", after=0) == "None"
    assert volume_said("cpu", after=10).startswith("it waits for cpu")


def volume_said(name: str, *, after: int) -> str:
    case = job_case(name)
    seen = PodContext(
        target=KubectlTarget(namespace="diag"),
        pod=case.pods[0],
        events=(),
        now=made(case) + timedelta(seconds=after),
    )
    return str(first_cause(POD_PROBES, seen))
