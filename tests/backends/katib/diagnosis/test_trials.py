"""Trials of a real Katib that failed or got stuck, and others made of them."""

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
from tests.backends.katib.diagnosis.edits import changed, event
from tests.backends.katib.diagnosis.recorded_cases import katib_case, sentences

TRIALS = sentences("trials.txt")
COLLECTOR = "metrics-logger-and-collector"
KLOG = "F1123 22:50:10.236138      15 main.go:"
LOGS = "kubectl logs quick-6rbnk97z-jmdhz -c metrics-logger-and-collector -n c-quick"
DIED = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
UNFOUND = "Failed to wait for worker container: unable to find main pid from the process list"
FAILED = "the training ended well, but Katib's metrics collector failed"


@pytest.mark.parametrize(("name", "expected"), TRIALS, ids=[name for name, _ in TRIALS])
def test_recorded_trial(name: str, expected: str) -> None:
    observed = katib_case(name)
    assert said(observed) == expected


def test_a_trial_that_was_stopped_with_its_search() -> None:
    observed = katib_case("deadline")
    jobs = [
        changed(each, spec=changed(each.spec, active_deadline_seconds=STOP_DEADLINE_SECONDS))
        for each in observed.jobs
    ]
    assert said(replace(observed, jobs=jobs)) == (
        "it was stopped with its search. Hint: housectl tune --resume deadline"
    )


def test_the_trainers_own_lines_are_as_good_as_the_collectors_log() -> None:
    observed = katib_case("exit1")
    assert said_after(observed, lines=["hint: buy disks", "error: disk full"]) == (
        "exited 1: error: disk full. Hint: housectl logs exit1 --trial exit1-6hmchk6q"
    )


REPORT = "Failed to Report logs: rpc error: code ="
UNREACHED = f'{REPORT} Unavailable desc = "dial tcp 10.96.0.9:6789: connect: connection refused"'
DATABASE = "katib.kubeflow.org/component=db-manager"
TOO_MANY = f"{REPORT} Unknown desc = pq: got 70000 parameters but PostgreSQL only supports 65535"
FILTER = "regexp: Compile(`(a`): error parsing regexp: missing closing ): `(a`"
LINES = "the training printed its metric on more lines than Katib's database takes"
JSON = "Failed to collect logs: invalid character 'e' looking for beginning of value"


@pytest.mark.parametrize(
    ("log", "what", "advice"),
    [
        ("", f"{FAILED}: exited 255.", ""),
        (
            f"{KLOG}432] {UNREACHED}",
            f"the training ended well, but Katib's database does not answer: {UNREACHED}.",
            f"   # its pods: kubectl get pods -n kubeflow -l {DATABASE}",
        ),
        (
            f"{KLOG}432] {TOO_MANY}",
            f"{LINES}: {TOO_MANY}.",
            "   # print the metric once, at the end",
        ),
        (
            f"panic: {FILTER}",
            f"Katib's metrics collector cannot read its filter: {FILTER}.",
            "   # then correct the filter of metricsCollectorSpec, and submit it anew",
        ),
        (f"{KLOG}425] {JSON}", f"{FAILED}: {JSON}.", ""),
    ],
    ids=["unknown", "database", "lines", "filter", "other"],
)
def test_a_collector_that_failed_although_the_training_did_not(
    log: str, what: str, advice: str
) -> None:
    told = said_after(katib_case("quick"), collector=log.splitlines())
    assert told == f"{what} Hint: {LOGS}{advice}"


def test_a_collector_that_ended_before_the_image_came() -> None:
    observed = katib_case("quick")
    began = observed.pods[0].metadata.creation_timestamp
    early = Terminated(exit_code=255, finished_at=began)
    later = Terminated(exit_code=0, started_at=observed.now)
    assert said(with_states(observed, trainer=ended(later), collector=ended(early))) == (
        "its metric is lost, because Katib's metrics collector looked for the training before the "
        "trainer's image had come. Hint: housectl tune   # now the node testbed has that image"
    )


@pytest.mark.parametrize(
    ("reason", "log", "expected"),
    [
        (
            "OOMKilled",
            "",
            (
                "the training runs on, but Katib's metrics collector ran out of memory: limit "
                "100Mi. Hint: kubectl edit configmap katib-config -n kubeflow   # raise its "
                "resources.limits.memory"
            ),
        ),
        (
            "Error",
            "",
            (
                "the training runs on, but Katib's metrics collector failed: exited 255. Hint: "
                f"{LOGS}"
            ),
        ),
        (
            "Error",
            f"{KLOG}396] {UNFOUND}",
            (
                "its metric is lost, because Katib's metrics collector looked for the training "
                "before the trainer's image had come. Hint: housectl tune   # now the node testbed "
                "has that image"
            ),
        ),
    ],
)
def test_a_collector_that_failed_while_the_training_runs(
    reason: str, log: str, expected: str
) -> None:
    died = Terminated(exit_code=255, reason=reason, finished_at=DIED)
    observed = with_states(training("quick"), collector=ended(died))
    for seconds, cause in ((4, "None"), (5, expected), (300, expected)):
        later = replace(observed, now=DIED + timedelta(seconds=seconds))
        assert said_after(later, collector=log.splitlines()) == cause


def test_a_collector_that_ended_well_while_the_training_runs() -> None:
    well = Terminated(exit_code=0, reason="Completed", finished_at=DIED)
    observed = with_states(training("quick"), collector=ended(well))
    assert said(replace(observed, now=DIED + timedelta(seconds=300))) == "None"


def test_a_collector_whose_image_came_when_the_training_was_over() -> None:
    observed = katib_case("quick")
    image = "localhost/katib-file-metrics-collector:v0.19.0"
    pulling = event("Pod", "quick-6rbnk97z-jmdhz", "Pulling", f'Pulling image "{image}"')
    assert said(replace(observed, events=[*observed.events, pulling])) == (
        "its metric is lost, because the training ended before the image of Katib's metrics "
        "collector came. Hint: housectl tune   # now the node testbed has that image"
    )
    present = f'Container image "{image}" already present on machine'
    for other in (
        changed(pulling, reason="Pulled", message=present),
        changed(pulling, message='Pulling image "localhost/tiny-trainer:1"'),
    ):
        assert said(replace(observed, events=[*observed.events, other])) == said(observed)


def test_a_collector_whose_image_cannot_be_pulled() -> None:
    observed = katib_case("noimage")
    message = 'Back-off pulling image "katib/collector:1": ErrImagePull: dial tcp: i/o timeout'
    unpulled = ContainerState(waiting=Waiting(reason="ImagePullBackOff", message=message))
    running = ContainerState(running=Running(started_at=observed.now))
    assert said(with_states(observed, trainer=running, collector=unpulled)) == (
        "the image localhost/katib-file-metrics-collector:v0.19.0 cannot be pulled: dial tcp: i/o "
        "timeout. Hint: kubectl describe pod noimage-p4kjcxmh-fd2bh -n c-noimage   # then push "
        "the image, or name another: kubectl edit configmap katib-config -n kubeflow"
    )


def test_a_collector_without_memory() -> None:
    observed = katib_case("quick")
    starved = Terminated(exit_code=137, reason="OOMKilled")
    assert said(with_states(observed, collector=ended(starved))) == (
        "the training ended well, but Katib's metrics collector ran out of memory: limit 100Mi. "
        "Hint: kubectl edit configmap katib-config -n kubeflow   # raise its "
        "resources.limits.memory"
    )


@pytest.mark.parametrize("exit_code", [1, 137])
def test_a_failed_training_comes_before_its_collector(exit_code: int) -> None:
    observed = katib_case("exit1" if exit_code == 1 else "oom")
    died = Terminated(exit_code=137, reason="OOMKilled")
    assert "collector" not in said(with_states(observed, collector=ended(died)))


UNCOLLECTED = (
    "Katib will never get its metric, because its pod was made without Katib's metrics collector. "
    "Hint: kubectl label namespace c-steps katib.kubeflow.org/metrics-collector-injection=enabled "
    "--overwrite   # then housectl delete steps, and tune again; if it had this label, Katib's "
    "webhook was away: housectl doctor"
)


def test_a_trial_without_collector_waits_for_ever() -> None:
    observed = unreported("steps")
    assert said(replace(observed, pods=without_collector(observed.pods))) == UNCOLLECTED
    assert said(replace(observed, pods=[])) == UNCOLLECTED


def test_a_trial_without_collector_is_told_while_its_training_runs() -> None:
    observed = training("steps")
    assert said(observed) == "None"
    assert said(replace(observed, pods=without_collector(observed.pods))) == UNCOLLECTED
    push = MetricsCollector(collector=CollectorKind(kind="Push"))
    trial = observed.trials[0]
    pushing = changed(trial, spec=changed(trial.spec, metrics_collector=push))
    bare = replace(observed, trials=[pushing], pods=without_collector(observed.pods))
    assert said(bare) == "None"
    assert said(replace(observed, pods=[])) == "None"


def test_a_trial_whose_report_nobody_reads() -> None:
    expected = (
        "the training has ended, but Katib's controller does not take notice of it. Hint: kubectl "
        "get pods -n kubeflow -l katib.kubeflow.org/component=controller"
    )
    observed = unreported("steps")
    assert said(observed) == expected
    push = MetricsCollector(collector=CollectorKind(kind="Push"))
    trial = observed.trials[0]
    pushing = changed(trial, spec=changed(trial.spec, metrics_collector=push))
    assert said(replace(observed, trials=[pushing], pods=[])) == expected


def test_a_trial_whose_metric_katib_cannot_read() -> None:
    observed = unreported("steps")
    name, completed = observed.trials[0].metadata.name, observed.jobs[0].status.completion_time
    assert completed is not None
    said_of_it = "connection error: dial tcp 10.96.1.2:6789: connect: connection refused"
    error = f"Failed to reconcile: rpc error: code = Unavailable desc = {said_of_it}"
    told = changed(event("Trial", name, "ReconcileError", error), count=12)
    after = changed(told, last_timestamp=completed + timedelta(seconds=12))
    assert said(replace(observed, events=[after])) == (
        f"Katib cannot read its metric: {said_of_it}. Hint: kubectl get pods -n kubeflow -l "
        "katib.kubeflow.org/component=db-manager   # they have to run; then it goes on by itself"
    )
    before = changed(told, last_timestamp=completed - timedelta(seconds=3))
    assert said(replace(observed, events=[before])) == said(replace(observed, events=[]))


def test_katib_is_given_time_to_see_that_a_job_has_ended() -> None:
    observed = unreported("steps")
    ended = observed.jobs[0].status.completion_time
    assert ended is not None
    for seconds, expected in ((9, "None"), (10, UNCOLLECTED)):
        early = replace(observed, pods=[], now=ended + timedelta(seconds=seconds))
        assert said(early) == expected


NO_METRIC = "no metric: the training printed no mse=NUMBER"
UNSEEN = "no metric: the training printed mse=0.25, but Katib's filter does not see it."


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([], f"{NO_METRIC}."),
        (["loss: 3", "mse: 4"], f"{NO_METRIC}."),
        (["x=0.5", "loss = 3, epoch=7"], f"{NO_METRIC}, but numbers called loss, epoch."),
        (["mse=inf"], 'the training printed "mse=inf", which is no finite number.'),
        (["mse=0.25"], UNSEEN),
    ],
)
def test_a_metric_that_is_missing(lines: list[str], what: str) -> None:
    observed = katib_case("wrongname")
    heard = ["I1124 07:00:00.000000      12 main.go:400] Trial Name: wrongname-74c282fs"]
    assert said_after(observed, lines=lines, collector=heard) == (
        f"{what} Hint: housectl logs wrongname --trial wrongname-74c282fs"
    )


def test_a_metric_that_is_missing_where_the_lines_are_unknown() -> None:
    observed = replace(katib_case("wrongname"), collectors={})
    assert said(observed) == (
        "no metric: Katib got no mse=NUMBER. Hint: housectl logs wrongname --trial "
        "wrongname-74c282fs"
    )
    assert said(replace(observed, pods=[])) == (
        "no metric, and its log is gone with its pod. Hint: housectl tune   # housectl logs shows "
        "what a trial prints while its pod is there"
    )


def test_a_metric_that_is_no_number_where_the_lines_are_unknown() -> None:
    assert said(replace(katib_case("nan"), collectors={})) == (
        "its mse is no finite number. Hint: housectl logs nan --trial nan-dxgj7kb5"
    )


def test_a_trial_of_which_nothing_is_left() -> None:
    observed = replace(katib_case("exit1"), jobs=[], pods=[], events=[])
    assert said(observed) == (
        "Katib says: Job has reached the specified backoff limit. Hint: kubectl describe trial "
        "exit1-6hmchk6q -n c-exit1"
    )


def test_a_trial_that_was_killed() -> None:
    observed = katib_case("exit1")
    killed = Condition(type="Killed", status="True", message="Trial is killed")
    trial = observed.trials[0]
    status = changed(trial.status, conditions=[killed])
    gone = replace(observed, trials=[changed(trial, status=status)], jobs=[], pods=[])
    assert said(gone).startswith("Katib says: Trial is killed. Hint: ")


def test_a_trial_whose_job_katib_cannot_make() -> None:
    observed = katib_case("nocommand")
    name = observed.trials[0].metadata.name
    error = "Failed to reconcile: jobs.batch is forbidden: exceeded quota: jobs, limited: count=0"
    told = changed(event("Trial", name, "ReconcileError", error), count=12)
    assert said(replace(observed, jobs=[], events=[told])) == (
        "Katib cannot make its job: jobs.batch is forbidden: exceeded quota: jobs, limited: "
        f"count=0. Hint: kubectl describe trial {name} -n c-nocommand"
    )


def test_a_trial_that_ended_well_has_no_cause_whatever_happened_before() -> None:
    observed = katib_case("steps")
    name = observed.trials[0].metadata.name
    told = [event("Job", name, "FailedCreate", "Error creating: exceeded quota: small, x")]
    assert said(replace(observed, events=told)) == "None"
    assert said(replace(observed, jobs=[], pods=[], events=told)) == "None"


def test_the_newest_pod_tells_the_cause() -> None:
    observed = katib_case("exit1")
    first = observed.trials[0].metadata.name
    failed = next(pod for pod in observed.pods if pod.metadata.name.startswith(first))
    made = failed.metadata.creation_timestamp
    assert made is not None
    later = changed(
        failed.metadata, name=f"{first}-again", creation_timestamp=made.replace(year=2027)
    )
    starved = [
        changed(
            each, state=ContainerState(terminated=Terminated(exit_code=137, reason="OOMKilled"))
        )
        for each in failed.status.container_statuses
    ]
    second = changed(
        failed, metadata=later, status=changed(failed.status, container_statuses=starved)
    )
    assert said(replace(observed, pods=[second, failed])).startswith("out of memory: ")


def said(observed: ExperimentContext) -> str:
    return str(trial_cause(observed, observed.trials[0]))


def said_after(
    observed: ExperimentContext, *, lines: Sequence[str] = (), collector: Sequence[str] = ()
) -> str:
    """Return the cause if the trainer has printed these lines, or the collector said this."""
    trial = observed.trials[0]
    printed = [f"I1124 07:00:00.000000      12 main.go:143] {line}" for line in lines]
    heard = {trial.metadata.name: [*printed, *collector]}
    return str(
        trial_cause(replace(observed, collectors={**observed.collector_logs, **heard}), trial)
    )


def ended(how: Terminated) -> ContainerState:
    return ContainerState(terminated=how)


def with_states(observed: ExperimentContext, **states: ContainerState) -> ExperimentContext:
    """Return the same experiment with a `trainer` or a `collector` in each pod that stand so."""
    return replace(observed, pods=[_with_states(pod, states) for pod in observed.pods])


def _with_states(pod: Pod, states: Mapping[str, ContainerState]) -> Pod:
    names = {COLLECTOR: "collector", "training": "trainer"}
    statuses = [
        changed(each, state=states.get(names.get(each.name, ""), each.state))
        for each in pod.status.container_statuses
    ]
    return changed(pod, status=changed(pod.status, container_statuses=statuses))


def training(name: str) -> ExperimentContext:
    """Return an experiment that ended well as it must have looked while its trainings ran."""
    running = ContainerState(running=Running(started_at=DIED - timedelta(seconds=60)))
    observed = with_states(unreported(name), trainer=running, collector=running)
    jobs = [changed(each, status=JobStatus(active=1)) for each in observed.jobs]
    return replace(observed, jobs=jobs)


def without_collector(pods: Sequence[Pod]) -> list[Pod]:
    """Return the same pods as they are where the webhook does not see them."""
    return [
        changed(
            pod,
            spec=changed(
                pod.spec,
                containers=[each for each in pod.spec.containers if each.name != COLLECTOR],
            ),
        )
        for pod in pods
    ]


def unreported(name: str) -> ExperimentContext:
    """Return an experiment that ended well as it would be if Katib had not seen its trials end."""
    observed = katib_case(name)
    running = [Condition(type=kind, status="True") for kind in ("Created", "Running")]
    return replace(observed, trials=[_running(trial, running) for trial in observed.trials])


def _running(trial: KatibTrial, conditions: list[Condition]) -> KatibTrial:
    status = changed(
        trial.status, conditions=conditions, observation=Observation(), completion_time=None
    )
    return changed(trial, status=status)
