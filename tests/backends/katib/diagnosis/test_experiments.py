"""Recorded experiments that were stuck or failed, and edited ones."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from housectl.backends.katib.diagnosis.experiment import experiment_cause, search_cause
from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.backends.katib.katib_objects import (
    ExperimentStatus,
    KatibExperiment,
    Suggestion,
    SuggestionSpec,
    SuggestionStatus,
)
from housectl.kube.objects.base import Condition, ObjectMeta
from housectl.kube.objects.events import Event
from housectl.kube.objects.pods import ContainerState, Pod, Running, Waiting
from housectl.search.katib_texts import ALGORITHM
from tests.backends.katib.diagnosis.edits import edit, event
from tests.backends.katib.diagnosis.recorded_cases import (
    at_time,
    change_times,
    expected_causes,
    katib_case,
    service_case,
)

EXPERIMENTS = expected_causes("experiments.txt")
CONTROLLER = (
    "kubectl get pods -n kubeflow -l katib.kubeflow.org/component=controller   # if it lists none, "
    "housectl doctor prints the commands that start one"
)
RESTART_CONTROLLER = (
    "kubectl label namespace kubeflow katib.kubeflow.org/metrics-collector-injection- && "
    "kubectl scale deployment katib-controller -n kubeflow --replicas=1 && "
)


@pytest.mark.parametrize(("name", "expected"), EXPERIMENTS, ids=[name for name, _ in EXPERIMENTS])
def test_recorded_experiment(name: str, expected: str) -> None:
    assert cause_of(katib_case(name)) == expected


def test_controller_not_running() -> None:
    context = replace(with_service_about_to_start(), suggestion=None, pods=[], events=[])
    bare = edit(context.experiment, status=ExperimentStatus())
    for seconds in (0, 9):
        early = at_age(replace(context, experiment=bare), seconds)
        assert cause_of(early) == "None"
    assert cause_of(at_age(replace(context, experiment=bare), 10)) == (
        "Katib's controller has not picked up the experiment: no status after 10 s. "
        f"Hint: {CONTROLLER}"
    )
    assert cause_of(at_age(context, 12)) == (
        "Katib's controller has not picked up the experiment: no Suggestion after 10 s. "
        f"Hint: {CONTROLLER}"
    )


def test_controller_in_the_namespace_of_the_searches_is_restarted_without_its_webhook() -> None:
    context = replace(with_service_about_to_start(), suggestion=None, pods=[], events=[])
    shared = replace(at_age(context, 12), namespace="kubeflow")
    assert f"Hint: {RESTART_CONTROLLER}" in cause_of(shared)


def test_service_crashed() -> None:
    assert cause_of(with_recorded_service("service-crash")) == (
        f"{service_problem('bayes')}: it crashed and was restarted 2 times: exited 1. Hint: "
        "kubectl logs diag-bayes-67db788f5d-wkb5b -n diag"
    )


@pytest.mark.parametrize("is_running", [False, True])
def test_service_out_of_memory(*, is_running: bool) -> None:
    context = with_recorded_service("service-oom")
    pod = context.pods[0]
    running = ContainerState(running=Running()) if is_running else None
    statuses = [edit(each, state=running or each.state) for each in pod.status.container_statuses]
    status = edit(pod.status, container_statuses=statuses)
    assert cause_of(replace(context, pods=[edit(pod, status=status)])) == (
        f"{service_problem('oom')}: it runs out of memory: limit 100Mi, restarted 2 times. Hint: "
        "kubectl set resources deployment diag-oom -n diag --limits=memory=200Mi   # for later "
        "searches: kubectl edit configmap katib-config -n kubeflow"
    )


def test_service_that_continues_after_out_of_memory_is_ignored() -> None:
    context = with_recorded_service("service-oom")
    assert context.suggestion
    running = [
        edit(each, state=ContainerState(running=Running()))
        for each in context.pods[0].status.container_statuses
    ]
    pod = edit(context.pods[0], status=edit(context.pods[0].status, container_statuses=running))
    killed = running[0].last_state.terminated
    assert killed
    assert killed.finished_at
    again = edit(
        context.suggestion.metadata, creation_timestamp=killed.finished_at + timedelta(seconds=5)
    )
    later = killed.finished_at + timedelta(seconds=40)
    suggestion = edit(context.suggestion, metadata=again)
    assert cause_of(replace(context, pods=[pod], suggestion=suggestion, now=later)) == "None"
    assert cause_of(replace(context, pods=[pod], now=later)).startswith(
        f"{service_problem('oom')}: it runs out of"
    )


def test_service_pod_rejected_by_quota() -> None:
    context = with_recorded_service("service-quota")
    quota = (
        "the quota small of the namespace diag is exhausted (requested: requests.cpu=1500m, used: "
        "requests.cpu=0, limited: requests.cpu=1)"
    )
    assert cause_of(context).startswith(
        f"{service_problem('quotadep')}: {quota}. Hint: kubectl describe resourcequota small"
    )


def test_resolved_rejection_of_service_pod_is_ignored() -> None:
    context = with_recorded_service("service-quota")
    assert context.suggestion
    suggestion = edit(context.suggestion, spec=SuggestionSpec())
    context = replace(context, suggestion=suggestion)
    name = context.events[0].involved_object.name
    created = event("ReplicaSet", name, "SuccessfulCreate", f"Created pod: {name}-b7x2q")
    latest = max(each.latest or context.now for each in context.events)
    assert (
        cause_of(replace(context, events=[with_time(created, latest), *context.events])) == "None"
    )
    later = edit(suggestion.metadata, creation_timestamp=latest + timedelta(seconds=1))
    again = replace(context, suggestion=edit(suggestion, metadata=later))
    assert cause_of(again) == "None"


def test_service_not_ready() -> None:
    context = katib_case("skoptzero")
    assert context.suggestion
    unready = Condition(type="DeploymentReady", status="False", reason="DeploymentNotReady")
    suggestion = with_suggestion_conditions(context.suggestion, conditions=[unready])
    early = replace(context, suggestion=suggestion, events=[])
    assert cause_of(at_age(early, 61)) == "None"
    assert cause_of(at_age(early, 62)) == (
        "The service of the algorithm bayesianoptimization is not ready more than a minute after "
        "its start. Hint: kubectl logs skoptzero-bayesianoptimization-f945d99db-q86bq -n "
        "c-skoptzero"
    )


@pytest.mark.parametrize("ready", ["True", "False"])
def test_slow_image_pull_of_service_is_ignored(ready: str) -> None:
    context = katib_case("skoptzero")
    assert context.suggestion
    unready = Condition(type="DeploymentReady", status=ready, reason="DeploymentNotReady")
    pulling = replace(
        context,
        suggestion=edit(
            context.suggestion,
            status=edit(context.suggestion.status, conditions=[unready]),
        ),
        pods=[pod_being_created(context.pods[0])],
        events=[],
    )
    mount_failures = [each for each in context.events if each.reason == "FailedMount"]
    pull = event("Pod", context.pods[0].metadata.name, "Pulling", 'Pulling image "katib/skopt:1"')
    pull_event = with_time(pull, mount_failures[0].latest or context.now)
    for seconds in (30, 62, 600):
        assert cause_of(at_age(pulling, seconds)) == "None"
        with_mount_failure = replace(pulling, events=[pull_event, *mount_failures])
        assert cause_of(at_age(with_mount_failure, seconds)) == "None"


def test_algorithm_without_suggestions() -> None:
    context = replace(katib_case("skoptzero"), events=[])
    assert cause_of(at_age(context, 61)) == "None"
    assert cause_of(at_age(context, 62)) == (
        "The algorithm bayesianoptimization has made no suggestion for more than a minute. Hint: "
        "kubectl logs skoptzero-bayesianoptimization-f945d99db-q86bq -n c-skoptzero"
    )
    assert cause_of(at_age(replace(context, pods=[]), 60)).endswith(
        "Hint: kubectl describe suggestion skoptzero -n c-skoptzero"
    )


def test_deleted_trial() -> None:
    context = replace(katib_case("nocommand"), trials=[], jobs=[])
    assert cause_of(at_age(context, 19)) == "None"
    assert cause_of(at_age(context, 40)) == (
        "Katib waits for the trial nocommand-hxrfff58, which was deleted. Hint: housectl stop "
        "nocommand   # finished trials stay usable"
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            "rpc error: desc = the lower bound 1 has to be less than the upper bound 1",
            (
                "The search space has a parameter whose min is not less than its max. Hint: "
                "housectl delete skoptzero   # then correct space: in housectl.yaml"
            ),
        ),
        (
            'rpc error: code = Internal desc = Same parameter is not found for Trial: name:"a"',
            (
                "The algorithm bayesianoptimization has lost its state and cannot continue: its "
                "pod or its Suggestion was recreated. Hint: housectl stop skoptzero   # finished "
                "trials stay usable"
            ),
        ),
        (
            "rpc error: code = Unavailable desc = name resolver error: produced zero addresses",
            (
                "Katib cannot continue: name resolver error: produced zero addresses. Hint: "
                "kubectl describe suggestion skoptzero -n c-skoptzero"
            ),
        ),
    ],
    ids=["bounds", "memory", "other"],
)
def test_persistent_reconcile_error(error: str, expected: str) -> None:
    context = katib_case("skoptzero")
    assert cause_of(replace(context, events=[reconcile_error("skoptzero", error, 14)])) == expected


def test_rare_or_harmless_reconcile_error_is_ignored() -> None:
    context = at_age(katib_case("skoptzero"), 30)
    harmless = 'Failed to reconcile: suggestions.kubeflow.org "skoptzero" already exists'
    changing = "the object has been modified; please apply your changes to the latest version"
    waiting = "rpc error: code = Aborted desc = waiting for trial skoptzero-0003"
    events = [
        reconcile_error("skoptzero", "rpc error", 8),
        reconcile_error("skoptzero", harmless, 50),
        reconcile_error("skoptzero", changing, 50),
        reconcile_error("skoptzero", waiting, 50),
        reconcile_error("another", "rpc error", 50),
        edit(event("Trial", "skoptzero", "ReconcileError", "rpc error"), count=50),
    ]
    assert cause_of(replace(context, events=events)) == "None"
    once_more = [*events, reconcile_error("skoptzero", "rpc error", 1)]
    assert cause_of(replace(context, events=once_more)).startswith(
        "Katib cannot continue: rpc error. "
    )


def test_reconcile_error_before_progress_is_ignored() -> None:
    context = katib_case("bayes12")
    created = context.experiment.metadata.creation_timestamp
    fourth = sorted(trial.metadata.creation_timestamp or context.now for trial in context.trials)[3]
    assert created
    invalid_min = "should not contain 0 when using log-uniform prior"
    before = with_time(reconcile_error("bayes12", invalid_min, 14), created - timedelta(minutes=25))
    resolved = with_time(
        reconcile_error("bayes12", "rpc error: server misbehaving", 12),
        fourth - timedelta(seconds=5),
    )
    for now in change_times(context):
        past = at_time(context, now)
        events = [*past.events, before, *([resolved] if fourth <= now else [])]
        assert cause_of(replace(past, events=events)) == "None", now


def test_reconcile_error_of_previous_search_with_same_name_is_ignored() -> None:
    context = katib_case("skoptzero")
    assert context.suggestion
    suggestion = edit(context.suggestion, metadata=edit(context.suggestion.metadata, uid="new"))
    error_event = with_time(reconcile_error("skoptzero", "rpc error", 50), context.now)
    cause = (
        "Katib cannot continue: rpc error. Hint: kubectl describe suggestion skoptzero -n "
        "c-skoptzero"
    )
    for uid, expected in (("old", "None"), ("new", cause)):
        involved = edit(error_event.involved_object, uid=uid)
        events = [edit(error_event, involved_object=involved)]
        assert cause_of(replace(context, suggestion=suggestion, events=events)) == expected


def test_reconcile_error_is_ignored_while_trial_is_active() -> None:
    context = replace(katib_case("nocommand"), jobs=[])
    error_event = reconcile_error("nocommand", "rpc error", 50)
    assert cause_of(replace(context, events=[error_event])) == "None"


def test_different_causes_are_counted() -> None:
    context = katib_case("wrongname")
    lost = context.trials[1]
    ended = Condition(type="Failed", status="True", message="Job message: it is lost")
    other = edit(lost, status=edit(lost.status, conditions=[ended]))
    pods = [pod for pod in context.pods if lost.metadata.name not in pod.metadata.name]
    both = replace(context, trials=[context.trials[0], other], jobs=[], pods=pods)
    assert cause_of(both) == (
        "2 of 2 trials failed: 1 x no metric: the training printed no mse=NUMBER, but a number "
        "called rmse; 1 x Katib reports: it is lost. Hint: housectl logs wrongname "
        "--trial wrongname-74c282fs"
    )


NO_CPU = "no node has enough free cpu: its pod requests 100 (1 Insufficient cpu)"
NO_IMAGE = (
    "the image localhost/nope:1 cannot be pulled: dial tcp 127.0.0.1:80: connect: connection "
    "refused"
)
PUSH_IMAGE = (
    "kubectl describe pod noimage-p4kjcxmh-fd2bh -n c-noimage   # then push the image, or choose "
    "another image: housectl tune --image IMAGE"
)


def test_missing_image_is_not_hidden_by_trials_that_wait_for_its_cpu() -> None:
    context, waiting = katib_case("noimage"), katib_case("unschedulable")
    trial, pod = waiting.trials[0], waiting.pods[0]
    second = edit(trial, metadata=edit(trial.metadata, name=f"{trial.metadata.name}-2"))
    owner = edit(pod.metadata.owner_references[0], name=second.metadata.name)
    second_pod = edit(pod, metadata=edit(pod.metadata, owner_references=[owner]))
    pods = [*context.pods, *waiting.pods, second_pod]
    later = max(context.now, waiting.now)
    both = replace(context, trials=[*context.trials, trial, second], pods=pods, now=later)
    assert cause_of(both) == (
        f"All 3 running trials are stuck: 2 x {NO_CPU}; 1 x {NO_IMAGE}. Hint: {PUSH_IMAGE}"
    )


def test_missing_image_is_not_hidden_by_service_that_waits_for_its_cpu() -> None:
    context, waiting = katib_case("noimage"), katib_case("unschedulable")
    (service,) = [
        pod for pod in context.pods if pod.metadata.owner_references[0].kind == "ReplicaSet"
    ]
    (unplaced,) = [pod for pod in waiting.pods if pod.metadata.owner_references[0].kind == "Job"]
    others = [pod for pod in context.pods if pod is not service]
    both = [*others, edit(service, status=unplaced.status)]
    requested = service.spec.containers[0].resources.requests["cpu"]
    assert cause_of(replace(context, pods=both)) == (
        f"{service_problem('random')}: {NO_CPU.replace('requests 100', f'requests {requested}')}. "
        f"The running trial is stuck: {NO_IMAGE}. Hint: {PUSH_IMAGE}"
    )


def test_causes_of_both_families_are_named() -> None:
    waiting, context = katib_case("unschedulable"), katib_case("noimage")
    stuck = "The running trial is stuck"
    assert str(search_cause([waiting, context])) == (
        f"unsched: {stuck}: {NO_CPU}. noimage: {stuck}: {NO_IMAGE}. Hint: {PUSH_IMAGE}"
    )
    same = str(search_cause([context, context]))
    assert same == f"{stuck}: {NO_IMAGE}. Hint: {PUSH_IMAGE}"
    assert search_cause([katib_case("bayes12")]) is None


@pytest.mark.parametrize(
    "error", ["unsupported algorithm", "unknown algorithm name bayesianoptimization"]
)
def test_image_of_another_algorithm(error: str) -> None:
    context = katib_case("badsetting")
    assert context.suggestion
    failed = Condition(
        type="Failed",
        status="True",
        message=f"Validation failed: ValidateAlgorithmSettings Error: {error}",
    )
    suggestion = with_suggestion_conditions(context.suggestion, conditions=[failed])
    assert cause_of(replace(context, suggestion=suggestion)) == (
        "The image localhost/katib-skopt:v0.19.0 does not implement the algorithm "
        f"bayesianoptimization: {error}. Hint: kubectl edit configmap katib-config -n kubeflow   "
        "# then correct the image under algorithmName: bayesianoptimization"
    )
    assert "The service's image does not implement" in cause_of(
        replace(context, suggestion=suggestion, pods=[])
    )


def test_error_of_own_service_has_its_own_hint() -> None:
    context, other = katib_case("badsetting"), katib_case("skoptzero")
    assert context.suggestion
    error = "The service of the algorithm has sampler 1, but the experiment needs sampler 2."
    hint = "housectl cluster init   # registers the service of the client's own version"
    message = f"Validation failed: ValidateAlgorithmSettings Error: {error} hint: {hint}"
    suggestion = with_suggestion_conditions(
        context.suggestion,
        conditions=[Condition(type="Failed", status="True", message=message)],
    )
    rejected = replace(context, suggestion=suggestion, experiment=with_own_algorithm(context))
    assert cause_of(rejected) == (
        f"The algorithm housectl rejects the search: {error} Hint: {hint}"
    )
    events = [reconcile_error("skoptzero", f"rpc error: desc = {error} hint: {hint}", 14)]
    assert cause_of(replace(other, events=events)).endswith(f"{error} Hint: {hint}")


def test_missing_image_of_own_service() -> None:
    context = katib_case("algoabsent")
    assert cause_of(replace(context, experiment=with_own_algorithm(context))) == (
        "The service of the algorithm housectl is not running: the image localhost/absent:1 "
        "cannot be pulled: dial tcp 127.0.0.1:80: connect: connection refused. Hint: kubectl "
        "describe pod algoabsent-sobol-absent-5999484568-ns794 -n c-algoabsent   # then push the "
        "image, or register another image: housectl cluster init"
    )


def test_failed_experiment_with_usable_trial_has_cause() -> None:
    context, well = katib_case("exit1_maxfailed"), katib_case("steps")
    assert cause_of(replace(context, trials=[*context.trials, *well.trials])) == (
        "1 of 2 trials failed: exited 1: boom: cannot read data. Hint: housectl logs exit1mf "
        "--trial exit1mf-6fspcjks"
    )


def test_experiment_with_one_healthy_trial_has_no_cause() -> None:
    context = katib_case("noimage")
    stuck = context.trials[0]
    second = edit(stuck, metadata=edit(stuck.metadata, name="noimage-second"))
    assert cause_of(replace(context, trials=[stuck, second])) == "None"


def test_hints_contain_user_name_and_context() -> None:
    context = replace(katib_case("nan"), name="boston-1", context="prod")
    assert "housectl stop boston-1 " in cause_of(context)
    silent = replace(katib_case("algoabsent"), context="prod")
    assert cause_of(silent) == (
        "The service of the algorithm sobol-absent is not running: the image localhost/absent:1 "
        "cannot be pulled: dial tcp 127.0.0.1:80: connect: connection refused. Hint: kubectl "
        "--context prod describe pod algoabsent-sobol-absent-5999484568-ns794 -n c-algoabsent   # "
        "then push the image, or choose another image: kubectl --context prod edit "
        "configmap katib-config -n kubeflow"
    )


def test_new_experiment_has_no_cause() -> None:
    context = with_service_about_to_start()
    early = replace(context, pods=[pod_being_created(context.pods[0])])
    for seconds in range(16):
        assert cause_of(at_age(early, seconds)) == "None"


def cause_of(context: ExperimentContext) -> str:
    return str(experiment_cause(context))


def at_age(context: ExperimentContext, seconds: int) -> ExperimentContext:
    """Return the same experiment this many seconds after its creation."""
    created = context.experiment.metadata.creation_timestamp
    assert created is not None
    return replace(context, now=created + timedelta(seconds=seconds))


def with_service_about_to_start() -> ExperimentContext:
    """Return an experiment whose algorithm's service is about to start."""
    context = katib_case("algoabsent")
    return replace(context, events=[each for each in context.events if "already" in each.message])


def pod_being_created(pod: Pod) -> Pod:
    """Return a pod whose containers are being created."""
    state = ContainerState(waiting=Waiting(reason="ContainerCreating"))
    statuses = [edit(each, state=state) for each in pod.status.container_statuses]
    return edit(pod, status=edit(pod.status, container_statuses=statuses))


def with_recorded_service(name: str) -> ExperimentContext:
    """Return an experiment with a recorded deployment of its algorithm's service."""
    deployment, pods, events, now = service_case(name)
    context = katib_case("skoptzero")
    return replace(
        context,
        namespace="diag",
        experiment=renamed(context.experiment, *deployment.split("-")),
        pods=pods,
        events=events,
        now=now,
    )


def service_problem(algorithm: str) -> str:
    return f"The service of the algorithm {algorithm} is not running"


def with_suggestion_conditions(
    suggestion: Suggestion, *, conditions: list[Condition]
) -> Suggestion:
    return edit(suggestion, status=SuggestionStatus(conditions=conditions))


def renamed(experiment: KatibExperiment, name: str, algorithm: str) -> KatibExperiment:
    spec = edit(
        experiment.spec, algorithm=edit(experiment.spec.algorithm, algorithm_name=algorithm)
    )
    metadata = ObjectMeta(name=name, creation_timestamp=experiment.metadata.creation_timestamp)
    return edit(experiment, metadata=metadata, spec=spec)


def with_own_algorithm(context: ExperimentContext) -> KatibExperiment:
    experiment = context.experiment
    algorithm = edit(experiment.spec.algorithm, algorithm_name=ALGORITHM)
    return edit(experiment, spec=edit(experiment.spec, algorithm=algorithm))


def with_time(event: Event, time: datetime) -> Event:
    return edit(event, last_timestamp=time)


def reconcile_error(name: str, message: str, count: int) -> Event:
    return edit(event("Suggestion", name, "ReconcileError", message), count=count)
