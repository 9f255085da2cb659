"""Jobs at their deadline: Kubernetes deletes the pod, and only its events remain."""

from dataclasses import replace

import pytest

from housectl.kube.objects.base import Condition
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import JobSpec, PodTemplate
from tests.backends.katib.diagnosis.edits import cause_of, edit, event
from tests.backends.katib.diagnosis.recorded_cases import JobCase, expected_causes, job_case

DEADLINES = expected_causes("deadlines.txt")
TIMED_OUT = "timed out: limit 5 s. Hint: housectl tune --trial-time 10s"
TRAINER, COLLECTOR = "training", "metrics-logger-and-collector"
PULL = 'Failed to pull image "localhost/collector:1": dial tcp: i/o timeout'


@pytest.mark.parametrize(("name", "expected"), DEADLINES, ids=[name for name, _ in DEADLINES])
def test_recorded_job_at_deadline(name: str, expected: str) -> None:
    assert cause_of(case_at_deadline(name)) == expected


def test_started_trainer_timed_out() -> None:
    for case in (case_at_deadline("pull"), case_at_deadline("cmvolume"), case_at_deadline("cpu")):
        assert cause_of(with_events(case, container_event(case, TRAINER, "Started"))) == TIMED_OUT


def test_started_collector_is_not_started_trainer() -> None:
    case = case_at_deadline("pull")
    assert cause_of(with_events(case, container_event(case, COLLECTOR, "Started"))) == cause_of(
        case
    )


def test_collector_image_not_pulled_at_deadline() -> None:
    case = case_at_deadline("pull")
    events = [
        container_event(case, TRAINER, "Started"),
        container_event(case, COLLECTOR, "Failed", PULL),
        container_event(case, COLLECTOR, "Failed", "Error: ErrImagePull"),
    ]
    assert cause_of(replace(case, events=events)) == (
        "timed out after 5 s, before its pod was ready: the image localhost/collector:1 cannot be "
        "pulled: dial tcp: i/o timeout. Hint: kubectl get events --field-selector "
        "involvedObject.name=pull-4w5qm -n diag   # then push the image, or choose another image: "
        "kubectl edit configmap katib-config -n kubeflow"
    )


def test_image_still_pulling_at_deadline() -> None:
    case = case_at_deadline("pull")
    message = 'Pulling image "localhost/trainer:1"'
    scheduled = event(
        "Pod", "pull-4w5qm", "Scheduled", "Successfully assigned diag/pull to testbed"
    )
    events = [scheduled, container_event(case, TRAINER, "Pulling", message)]
    assert cause_of(replace(case, events=events)) == (
        f"timed out after 5 s, before its pod was ready: {message}. Hint: "
        f"{retry_hint('pull-4w5qm')}"
    )


def test_pod_started_too_late_for_trainer_deadline() -> None:
    case = with_deadlines(case_at_deadline("pull"), seconds="600", deadline=2400)
    late = (
        "its pod started too late: it did not start within 1800 s, and its job has a deadline of "
        "2400 s. Hint: "
    )
    started = with_events(case, container_event(case, TRAINER, "Started"))
    assert cause_of(started) == f"{late}{retry_hint('pull-4w5qm')}"
    assert cause_of(replace(case, events=[])) == (
        f"{late}kubectl get events --sort-by=.lastTimestamp -n diag   # shows why it waited; then "
        "run housectl tune again"
    )
    assert cause_of(case).startswith("timed out after 2400 s, before its pod was ready: the image ")
    shortened = with_deadlines(started, seconds="600", deadline=5)
    assert cause_of(shortened) == TIMED_OUT


def test_resolved_problem_is_not_cause_of_timeout() -> None:
    rejected = case_at_deadline("quotamiss")
    created = edit(rejected.events[-1], reason="SuccessfulCreate", message="Created pod: x")
    assert cause_of(with_events(rejected, created)) == TIMED_OUT
    unscheduled = case_at_deadline("cpu")
    scheduled = edit(
        unscheduled.events[-1],
        reason="Scheduled",
        message="Successfully assigned diag/x to testbed",
    )
    assert cause_of(with_events(unscheduled, scheduled)) == (
        "timed out after 5 s, before its pod was ready: Successfully assigned diag/x to testbed. "
        f"Hint: {retry_hint('cpu-d74lq')}"
    )


def test_deadline_without_events() -> None:
    assert cause_of(replace(case_at_deadline("pull"), events=[])) == TIMED_OUT


def case_at_deadline(name: str) -> JobCase:
    """Return a recorded waiting job as of a deadline."""
    case = job_case(name)
    templates = [PodTemplate(spec=edit(pod.spec, node_name="")) for pod in case.pods]
    template = next(iter(templates), PodTemplate())
    end = Condition(type="Failed", status="True", reason="DeadlineExceeded")
    job = edit(
        case.job,
        spec=JobSpec(active_deadline_seconds=5, template=template),
        status=edit(case.job.status, active=0, conditions=[end]),
    )
    events = [_with_container(each) if each.reason == "Failed" else each for each in case.events]
    return replace(case, job=job, pods=[], events=events)


def with_deadlines(case: JobCase, *, seconds: str, deadline: int) -> JobCase:
    """Return a case with deadlines of the trainer and of its job."""
    command = [
        "python",
        "-m",
        "housectl_trainer",
        "trial",
        "--deadline",
        seconds,
        "--termination-report",
        "/x",
    ]
    template = case.job.spec.template
    containers = [edit(each, command=command) for each in template.spec.containers]
    template = edit(template, spec=edit(template.spec, containers=containers))
    spec = JobSpec(active_deadline_seconds=deadline, template=template)
    return replace(case, job=edit(case.job, spec=spec))


def container_event(case: JobCase, container: str, reason: str, message: str = "") -> Event:
    """Return an event about a container of the case's pod."""
    pod = next(each for each in case.events if each.involved_object.kind == "Pod")
    return _with_container(event("Pod", pod.involved_object.name, reason, message), container)


def retry_hint(pod: str) -> str:
    return (
        f"kubectl get events --field-selector involvedObject.name={pod} -n diag   # shows why it "
        "waited; then run housectl tune again"
    )


def with_events(case: JobCase, *events: Event) -> JobCase:
    return replace(case, events=[*case.events, *events])


def _with_container(event: Event, container: str = TRAINER) -> Event:
    path = f"spec.containers{{{container}}}"
    return edit(event, involved_object=edit(event.involved_object, field_path=path))
