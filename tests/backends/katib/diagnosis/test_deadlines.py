"""Jobs at their deadline, when Kubernetes deletes the pod, and only events are left of it."""

from dataclasses import replace

import pytest

from housectl.kube.objects.base import Condition
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import JobSpec, PodTemplate
from tests.backends.katib.diagnosis.edits import changed, event, said
from tests.backends.katib.diagnosis.recorded_cases import JobCase, job_case, sentences

DEADLINES = sentences("deadlines.txt")
LATE = "timed out: limit 5 s. Hint: housectl tune --trial-time 10s"
TRAINER, COLLECTOR = "training", "metrics-logger-and-collector"
PULL = 'Failed to pull image "localhost/collector:1": dial tcp: i/o timeout'


@pytest.mark.parametrize(("name", "expected"), DEADLINES, ids=[name for name, _ in DEADLINES])
def test_a_job_that_waited_until_its_deadline(name: str, expected: str) -> None:
    assert said(overdue(name)) == expected


def test_a_trainer_that_has_started_had_too_little_time() -> None:
    for case in (overdue("pull"), overdue("cmvolume"), overdue("cpu")):
        assert said(told(case, of_container(case, TRAINER, "Started"))) == LATE


def test_a_collector_that_has_started_is_no_trainer() -> None:
    case = overdue("pull")
    assert said(told(case, of_container(case, COLLECTOR, "Started"))) == said(case)


def test_a_collector_that_has_not_started() -> None:
    case = overdue("pull")
    events = [
        of_container(case, TRAINER, "Started"),
        of_container(case, COLLECTOR, "Failed", PULL),
        of_container(case, COLLECTOR, "Failed", "Error: ErrImagePull"),
    ]
    assert said(replace(case, events=events)) == (
        "timed out after 5 s, before its pod was up: the image localhost/collector:1 cannot be "
        "pulled: dial tcp: i/o timeout. Hint: kubectl get events --field-selector "
        "involvedObject.name=pull-4w5qm -n diag   # then push the image, or name another: kubectl "
        "edit configmap katib-config -n kubeflow"
    )


def test_an_image_that_was_still_pulled() -> None:
    case = overdue("pull")
    message = 'Pulling image "localhost/trainer:1"'
    placed = event("Pod", "pull-4w5qm", "Scheduled", "Successfully assigned diag/pull to testbed")
    events = [placed, of_container(case, TRAINER, "Pulling", message)]
    assert said(replace(case, events=events)) == (
        f"timed out after 5 s, before its pod was up: {message}. Hint: {again('pull-4w5qm')}"
    )


def test_a_trainer_that_would_have_ended_itself_has_started_too_late() -> None:
    case = limited(overdue("pull"), seconds="600", deadline=2400)
    late = (
        "its pod came up too late: it had not started within 1800 s, and had to end by its job's "
        "deadline of 2400 s. Hint: "
    )
    started = told(case, of_container(case, TRAINER, "Started"))
    assert said(started) == f"{late}{again('pull-4w5qm')}"
    assert said(replace(case, events=[])) == (
        f"{late}kubectl get events --sort-by=.lastTimestamp -n diag   # shows what it waited for; "
        "then housectl tune again"
    )
    assert said(case).startswith("timed out after 2400 s, before its pod was up: the image ")
    shortened = limited(started, seconds="600", deadline=5)
    assert said(shortened) == LATE


def test_what_came_in_order_at_last() -> None:
    refused = overdue("quotamiss")
    created = changed(refused.events[-1], reason="SuccessfulCreate", message="Created pod: x")
    assert said(told(refused, created)) == LATE
    unplaced = overdue("cpu")
    placed = changed(
        unplaced.events[-1], reason="Scheduled", message="Successfully assigned diag/x to testbed"
    )
    assert said(told(unplaced, placed)) == (
        "timed out after 5 s, before its pod was up: Successfully assigned diag/x to testbed. "
        f"Hint: {again('cpu-d74lq')}"
    )


def test_a_deadline_of_which_no_event_is_left() -> None:
    assert said(replace(overdue("pull"), events=[])) == LATE


def overdue(name: str) -> JobCase:
    """Return a job that waited as it must have looked at a deadline."""
    case = job_case(name)
    templates = [PodTemplate(spec=changed(pod.spec, node_name="")) for pod in case.pods]
    template = next(iter(templates), PodTemplate())
    end = Condition(type="Failed", status="True", reason="DeadlineExceeded")
    job = changed(
        case.job,
        spec=JobSpec(active_deadline_seconds=5, template=template),
        status=changed(case.job.status, active=0, conditions=[end]),
    )
    events = [_located(each) if each.reason == "Failed" else each for each in case.events]
    return replace(case, job=job, pods=[], events=events)


def limited(case: JobCase, *, seconds: str, deadline: int) -> JobCase:
    """Return a case whose trainer ends itself, and whose job has this deadline."""
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
    containers = [changed(each, command=command) for each in template.spec.containers]
    template = changed(template, spec=changed(template.spec, containers=containers))
    spec = JobSpec(active_deadline_seconds=deadline, template=template)
    return replace(case, job=changed(case.job, spec=spec))


def of_container(case: JobCase, container: str, reason: str, message: str = "") -> Event:
    """Return an event about a container of the pod that the case has events about."""
    pod = next(each for each in case.events if each.involved_object.kind == "Pod")
    return _located(event("Pod", pod.involved_object.name, reason, message), container)


def again(pod: str) -> str:
    return (
        f"kubectl get events --field-selector involvedObject.name={pod} -n diag   # shows what it "
        "waited for; then housectl tune again"
    )


def told(case: JobCase, *events: Event) -> JobCase:
    return replace(case, events=[*case.events, *events])


def _located(event: Event, container: str = TRAINER) -> Event:
    path = f"spec.containers{{{container}}}"
    return changed(event, involved_object=changed(event.involved_object, field_path=path))
