"""Recorded trials that failed or were stuck, and edited ones."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.backends.katib.diagnosis.trial import trial_cause
from housectl.backends.katib.katib_objects import (
    CollectorKind,
    KatibTrial,
    MetricsCollector,
    Observation,
)
from housectl.backends.katib.stop_marks import STOP_DEADLINE_SECONDS
from housectl.kube.objects.base import Condition
from housectl.kube.objects.jobs import JobStatus
from housectl.kube.objects.pods import ContainerState, Pod, Running, Terminated, Waiting
from tests.backends.katib.diagnosis.edits import edit, event
from tests.backends.katib.diagnosis.recorded_cases import expected_causes, katib_case

TRIALS = expected_causes("trials.txt")
COLLECTOR = "metrics-logger-and-collector"
KLOG = "F1123 22:50:10.236138      15 main.go:"
LOGS = "kubectl logs quick-6rbnk97z-jmdhz -c metrics-logger-and-collector -n c-quick"
DIED = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
NO_PROCESS = "Failed to wait for worker container: unable to find main pid from the process list"
FAILED = "the training succeeded, but Katib's metrics collector failed"


@pytest.mark.parametrize(("name", "expected"), TRIALS, ids=[name for name, _ in TRIALS])
def test_recorded_trial(name: str, expected: str) -> None:
    context = katib_case(name)
    assert cause_of(context) == expected


def test_trial_stopped_with_search() -> None:
    context = katib_case("deadline")
    jobs = [
        edit(each, spec=edit(each.spec, active_deadline_seconds=STOP_DEADLINE_SECONDS))
        for each in context.jobs
    ]
    assert cause_of(replace(context, jobs=jobs)) == (
        "it was stopped with its search. Hint: housectl tune --resume deadline"
    )


def test_trainer_error_from_collector_log() -> None:
    context = katib_case("exit1")
    assert cause_with_log(context, lines=["hint: buy disks", "error: disk full"]) == (
        "exited 1: error: disk full. Hint: housectl logs exit1 --trial exit1-6hmchk6q"
    )


REPORT = "Failed to Report logs: rpc error: code ="
DATABASE_UNREACHABLE = (
    f'{REPORT} Unavailable desc = "dial tcp 10.96.0.9:6789: connect: connection refused"'
)
DATABASE = "katib.kubeflow.org/component=db-manager"
TOO_MANY_LINES = (
    f"{REPORT} Unknown desc = pq: got 70000 parameters but PostgreSQL only supports 65535"
)
FILTER = "regexp: Compile(`(a`): error parsing regexp: missing closing ): `(a`"
LINES = "the training printed its metric on more lines than Katib's database accepts"
JSON = "Failed to collect logs: invalid character 'e' looking for beginning of value"


@pytest.mark.parametrize(
    ("log", "expected", "advice"),
    [
        ("", f"{FAILED}: exited 255.", ""),
        (
            f"{KLOG}432] {DATABASE_UNREACHABLE}",
            f"the training succeeded, but Katib's database is unreachable: {DATABASE_UNREACHABLE}.",
            f"   # its pods: kubectl get pods -n kubeflow -l {DATABASE}",
        ),
        (
            f"{KLOG}432] {TOO_MANY_LINES}",
            f"{LINES}: {TOO_MANY_LINES}.",
            "   # print the metric once, at the end",
        ),
        (
            f"panic: {FILTER}",
            f"Katib's metrics collector has an invalid filter: {FILTER}.",
            "   # then correct the filter of metricsCollectorSpec, and submit the experiment again",
        ),
        (f"{KLOG}425] {JSON}", f"{FAILED}: {JSON}.", ""),
    ],
    ids=["unknown", "database", "lines", "filter", "other"],
)
def test_collector_failed_after_successful_training(log: str, expected: str, advice: str) -> None:
    text = cause_with_log(katib_case("quick"), collector=log.splitlines())
    assert text == f"{expected} Hint: {LOGS}{advice}"


def test_collector_ended_before_trainer_image_was_pulled() -> None:
    context = katib_case("quick")
    began = context.pods[0].metadata.creation_timestamp
    early = Terminated(exit_code=255, finished_at=began)
    later = Terminated(exit_code=0, started_at=context.now)
    assert cause_of(
        with_container_states(
            context, trainer=terminated_state(later), collector=terminated_state(early)
        )
    ) == (
        "its metric is lost: Katib's metrics collector looked for the training before the "
        "trainer's image was pulled. Hint: housectl tune   # now the node testbed has that image"
    )


@pytest.mark.parametrize(
    ("reason", "log", "expected"),
    [
        (
            "OOMKilled",
            "",
            (
                "the training is still running, but Katib's metrics collector ran out of memory: "
                "limit 100Mi. Hint: kubectl edit configmap katib-config -n kubeflow   # raise its "
                "resources.limits.memory"
            ),
        ),
        (
            "Error",
            "",
            (
                "the training is still running, but Katib's metrics collector failed: exited 255. "
                f"Hint: {LOGS}"
            ),
        ),
        (
            "Error",
            f"{KLOG}396] {NO_PROCESS}",
            (
                "its metric is lost: Katib's metrics collector looked for the training "
                "before the trainer's image was pulled. Hint: housectl tune   # now the node "
                "testbed has that image"
            ),
        ),
    ],
)
def test_collector_failed_during_training(reason: str, log: str, expected: str) -> None:
    died = Terminated(exit_code=255, reason=reason, finished_at=DIED)
    context = with_container_states(during_training("quick"), collector=terminated_state(died))
    for seconds, cause in ((4, "None"), (5, expected), (300, expected)):
        later = replace(context, now=DIED + timedelta(seconds=seconds))
        assert cause_with_log(later, collector=log.splitlines()) == cause


def test_collector_succeeded_during_training() -> None:
    well = Terminated(exit_code=0, reason="Completed", finished_at=DIED)
    context = with_container_states(during_training("quick"), collector=terminated_state(well))
    assert cause_of(replace(context, now=DIED + timedelta(seconds=300))) == "None"


def test_collector_image_pulled_after_training() -> None:
    context = katib_case("quick")
    image = "localhost/katib-file-metrics-collector:v0.19.0"
    pulling = event("Pod", "quick-6rbnk97z-jmdhz", "Pulling", f'Pulling image "{image}"')
    assert cause_of(replace(context, events=[*context.events, pulling])) == (
        "its metric is lost: the training ended before the image of Katib's metrics "
        "collector was pulled. Hint: housectl tune   # now the node testbed has that image"
    )
    present = f'Container image "{image}" already present on machine'
    for other in (
        edit(pulling, reason="Pulled", message=present),
        edit(pulling, message='Pulling image "localhost/tiny-trainer:1"'),
    ):
        assert cause_of(replace(context, events=[*context.events, other])) == cause_of(context)


def test_collector_image_pull_failed() -> None:
    context = katib_case("noimage")
    message = 'Back-off pulling image "katib/collector:1": ErrImagePull: dial tcp: i/o timeout'
    pull_failed = ContainerState(waiting=Waiting(reason="ImagePullBackOff", message=message))
    running = ContainerState(running=Running(started_at=context.now))
    assert cause_of(with_container_states(context, trainer=running, collector=pull_failed)) == (
        "the image localhost/katib-file-metrics-collector:v0.19.0 cannot be pulled: dial tcp: i/o "
        "timeout. Hint: kubectl describe pod noimage-p4kjcxmh-fd2bh -n c-noimage   # then push "
        "the image, or choose another image: kubectl edit configmap katib-config -n kubeflow"
    )


def test_collector_out_of_memory() -> None:
    context = katib_case("quick")
    out_of_memory = Terminated(exit_code=137, reason="OOMKilled")
    assert cause_of(with_container_states(context, collector=terminated_state(out_of_memory))) == (
        "the training succeeded, but Katib's metrics collector ran out of memory: limit 100Mi. "
        "Hint: kubectl edit configmap katib-config -n kubeflow   # raise its "
        "resources.limits.memory"
    )


@pytest.mark.parametrize("exit_code", [1, 137])
def test_failed_training_comes_before_its_collector(exit_code: int) -> None:
    context = katib_case("exit1" if exit_code == 1 else "oom")
    died = Terminated(exit_code=137, reason="OOMKilled")
    assert "collector" not in cause_of(
        with_container_states(context, collector=terminated_state(died))
    )


NO_COLLECTOR = (
    "Katib cannot get its metric: its pod was created without Katib's metrics collector. "
    "Hint: kubectl label namespace c-steps katib.kubeflow.org/metrics-collector-injection=enabled "
    "--overwrite   # then housectl delete steps, and tune again; if the label was already set, "
    "the webhook was unavailable: housectl doctor"
)


def test_trial_without_collector_never_ends() -> None:
    context = with_unnoticed_end("steps")
    assert cause_of(replace(context, pods=without_collector(context.pods))) == NO_COLLECTOR
    assert cause_of(replace(context, pods=[])) == NO_COLLECTOR


def test_trial_without_collector_is_reported_during_training() -> None:
    context = during_training("steps")
    assert cause_of(context) == "None"
    assert cause_of(replace(context, pods=without_collector(context.pods))) == NO_COLLECTOR
    push = MetricsCollector(collector=CollectorKind(kind="Push"))
    trial = context.trials[0]
    pushing = edit(trial, spec=edit(trial.spec, metrics_collector=push))
    bare = replace(context, trials=[pushing], pods=without_collector(context.pods))
    assert cause_of(bare) == "None"
    assert cause_of(replace(context, pods=[])) == "None"


def test_controller_has_not_noticed_completion() -> None:
    expected = (
        "the training has ended, but Katib's controller has not noticed it. Hint: kubectl "
        "get pods -n kubeflow -l katib.kubeflow.org/component=controller   # if it lists none, "
        "housectl doctor prints the commands that start one"
    )
    context = with_unnoticed_end("steps")
    assert cause_of(context) == expected
    push = MetricsCollector(collector=CollectorKind(kind="Push"))
    trial = context.trials[0]
    pushing = edit(trial, spec=edit(trial.spec, metrics_collector=push))
    assert cause_of(replace(context, trials=[pushing], pods=[])) == expected


def test_katib_cannot_read_metric() -> None:
    context = with_unnoticed_end("steps")
    name, completed = context.trials[0].metadata.name, context.jobs[0].status.completion_time
    assert completed is not None
    message = "connection error: dial tcp 10.96.1.2:6789: connect: connection refused"
    error = f"Failed to reconcile: rpc error: code = Unavailable desc = {message}"
    events = edit(event("Trial", name, "ReconcileError", error), count=12)
    after = edit(events, last_timestamp=completed + timedelta(seconds=12))
    assert cause_of(replace(context, events=[after])) == (
        f"Katib cannot read its metric: {message}. Hint: kubectl get pods -n kubeflow -l "
        "katib.kubeflow.org/component=db-manager   # they must be running; the trial then "
        "continues by itself"
    )
    before = edit(events, last_timestamp=completed - timedelta(seconds=3))
    assert cause_of(replace(context, events=[before])) == cause_of(replace(context, events=[]))


def test_completed_job_is_ignored_within_grace_time() -> None:
    context = with_unnoticed_end("steps")
    completed = context.jobs[0].status.completion_time
    assert completed is not None
    for seconds, expected in ((9, "None"), (10, NO_COLLECTOR)):
        early = replace(context, pods=[], now=completed + timedelta(seconds=seconds))
        assert cause_of(early) == expected


NO_METRIC = "no metric: the training printed no mse=NUMBER"
NOT_MATCHED = "no metric: the training printed mse=0.25, but Katib's filter does not match it."


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], f"{NO_METRIC}."),
        (["loss: 3", "mse: 4"], f"{NO_METRIC}."),
        (["x=0.5", "loss = 3, epoch=7"], f"{NO_METRIC}, but numbers called loss, epoch."),
        (["mse=inf"], 'the training printed "mse=inf", which is not a finite number.'),
        (["mse=0.25"], NOT_MATCHED),
    ],
)
def test_missing_metric(lines: list[str], expected: str) -> None:
    context = katib_case("wrongname")
    collector_lines = ["I1124 07:00:00.000000      12 main.go:400] Trial Name: wrongname-74c282fs"]
    assert cause_with_log(context, lines=lines, collector=collector_lines) == (
        f"{expected} Hint: housectl logs wrongname --trial wrongname-74c282fs"
    )


def test_missing_metric_without_log() -> None:
    context = replace(katib_case("wrongname"), collector_logs={})
    assert cause_of(context) == (
        "no metric: Katib received no mse=NUMBER. Hint: housectl logs wrongname --trial "
        "wrongname-74c282fs"
    )
    assert cause_of(replace(context, pods=[])) == (
        "no metric, and its log was deleted with its pod. Hint: housectl tune   # housectl logs "
        "shows a trial's output while its pod exists"
    )


def test_non_finite_metric_without_log() -> None:
    assert cause_of(replace(katib_case("nan"), collector_logs={})) == (
        "its mse is not a finite number. Hint: housectl logs nan --trial nan-dxgj7kb5"
    )


def test_failed_trial_without_job() -> None:
    context = replace(katib_case("exit1"), jobs=[], pods=[], events=[])
    assert cause_of(context) == (
        "Katib reports: Job has reached the specified backoff limit. Hint: kubectl describe trial "
        "exit1-6hmchk6q -n c-exit1"
    )


def test_killed_trial() -> None:
    context = katib_case("exit1")
    killed = Condition(type="Killed", status="True", message="Trial is killed")
    trial = context.trials[0]
    status = edit(trial.status, conditions=[killed])
    without_job = replace(context, trials=[edit(trial, status=status)], jobs=[], pods=[])
    assert cause_of(without_job).startswith("Katib reports: Trial is killed. Hint: ")


def test_katib_cannot_create_job() -> None:
    context = katib_case("nocommand")
    name = context.trials[0].metadata.name
    error = "Failed to reconcile: jobs.batch is forbidden: exceeded quota: jobs, limited: count=0"
    events = edit(event("Trial", name, "ReconcileError", error), count=12)
    assert cause_of(replace(context, jobs=[], events=[events])) == (
        "Katib cannot create its job: jobs.batch is forbidden: exceeded quota: jobs, limited: "
        f"count=0. Hint: kubectl describe trial {name} -n c-nocommand"
    )


def test_successful_trial_has_no_cause_despite_earlier_events() -> None:
    context = katib_case("steps")
    name = context.trials[0].metadata.name
    events = [event("Job", name, "FailedCreate", "Error creating: exceeded quota: small, x")]
    assert cause_of(replace(context, events=events)) == "None"
    assert cause_of(replace(context, jobs=[], pods=[], events=events)) == "None"


def test_newest_pod_determines_cause() -> None:
    context = katib_case("exit1")
    first = context.trials[0].metadata.name
    failed = next(pod for pod in context.pods if pod.metadata.name.startswith(first))
    created = failed.metadata.creation_timestamp
    assert created is not None
    later = edit(
        failed.metadata, name=f"{first}-again", creation_timestamp=created.replace(year=2027)
    )
    out_of_memory = [
        edit(each, state=ContainerState(terminated=Terminated(exit_code=137, reason="OOMKilled")))
        for each in failed.status.container_statuses
    ]
    second = edit(
        failed, metadata=later, status=edit(failed.status, container_statuses=out_of_memory)
    )
    assert cause_of(replace(context, pods=[second, failed])).startswith("out of memory: ")


def cause_of(context: ExperimentContext) -> str:
    return str(trial_cause(context, context.trials[0]))


def cause_with_log(
    context: ExperimentContext, *, lines: Sequence[str] = (), collector: Sequence[str] = ()
) -> str:
    """Return the cause for lines of the trainer and of the collector in the collector's log."""
    trial = context.trials[0]
    printed = [f"I1124 07:00:00.000000      12 main.go:143] {line}" for line in lines]
    log = {trial.metadata.name: [*printed, *collector]}
    return str(
        trial_cause(replace(context, collector_logs={**context.collector_logs, **log}), trial)
    )


def terminated_state(termination: Terminated) -> ContainerState:
    return ContainerState(terminated=termination)


def with_container_states(
    context: ExperimentContext, **states: ContainerState
) -> ExperimentContext:
    """Return the same experiment with these states of `trainer` and `collector` in each pod."""
    return replace(context, pods=[_pod_with_container_states(pod, states) for pod in context.pods])


def _pod_with_container_states(pod: Pod, states: Mapping[str, ContainerState]) -> Pod:
    names = {COLLECTOR: "collector", "training": "trainer"}
    statuses = [
        edit(each, state=states.get(names.get(each.name, ""), each.state))
        for each in pod.status.container_statuses
    ]
    return edit(pod, status=edit(pod.status, container_statuses=statuses))


def during_training(name: str) -> ExperimentContext:
    """Return a successful experiment as of its training."""
    running = ContainerState(running=Running(started_at=DIED - timedelta(seconds=60)))
    context = with_container_states(with_unnoticed_end(name), trainer=running, collector=running)
    jobs = [edit(each, status=JobStatus(active=1)) for each in context.jobs]
    return replace(context, jobs=jobs)


def without_collector(pods: Sequence[Pod]) -> list[Pod]:
    """Return the same pods without the collector that the webhook adds."""
    return [
        edit(
            pod,
            spec=edit(
                pod.spec,
                containers=[each for each in pod.spec.containers if each.name != COLLECTOR],
            ),
        )
        for pod in pods
    ]


def with_unnoticed_end(name: str) -> ExperimentContext:
    """Return a successful experiment whose trials' ends Katib has not noticed."""
    context = katib_case(name)
    running = [Condition(type=kind, status="True") for kind in ("Created", "Running")]
    return replace(context, trials=[_running_trial(trial, running) for trial in context.trials])


def _running_trial(trial: KatibTrial, conditions: list[Condition]) -> KatibTrial:
    status = edit(
        trial.status, conditions=conditions, observation=Observation(), completion_time=None
    )
    return edit(trial, status=status)
