"""Experiments of a real Katib that got stuck or failed, and others made of them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from housectl.backends.katib.diagnosis.experiment import experiment_cause
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
from tests.backends.katib.diagnosis.edits import changed, event
from tests.backends.katib.diagnosis.recorded_cases import (
    at,
    katib_case,
    moments,
    sentences,
    service_case,
)

EXPERIMENTS = sentences("experiments.txt")
CONTROLLER = "kubectl get pods -n kubeflow -l katib.kubeflow.org/component=controller"


@pytest.mark.parametrize(("name", "expected"), EXPERIMENTS, ids=[name for name, _ in EXPERIMENTS])
def test_recorded_experiment(name: str, expected: str) -> None:
    assert said(katib_case(name)) == expected


def test_an_experiment_that_nobody_takes_up() -> None:
    observed = replace(waiting(), suggestion=None, pods=[], events=[])
    bare = changed(observed.experiment, status=ExperimentStatus())
    for seconds in (0, 9):
        early = aged(replace(observed, experiment=bare), seconds)
        assert said(early) == "None"
    assert said(aged(replace(observed, experiment=bare), 10)) == (
        "Katib's controller does not take it up: it has no status, more than 10 s after it "
        f"was made. Hint: {CONTROLLER}"
    )
    assert said(aged(observed, 12)) == (
        "Katib's controller does not take it up: it has no suggestion, more than 10 s after "
        f"it was made. Hint: {CONTROLLER}"
    )


def test_a_service_that_crashes() -> None:
    assert said(served("service-crash")) == (
        f"{down('bayes')}: it crashes, and was restarted 2 times: exited 1. Hint: kubectl logs "
        "diag-bayes-67db788f5d-wkb5b --previous -n diag"
    )


@pytest.mark.parametrize("is_running", [False, True])
def test_a_service_without_memory(*, is_running: bool) -> None:
    observed = served("service-oom")
    pod = observed.pods[0]
    running = ContainerState(running=Running()) if is_running else None
    statuses = [
        changed(each, state=running or each.state) for each in pod.status.container_statuses
    ]
    status = changed(pod.status, container_statuses=statuses)
    assert said(replace(observed, pods=[changed(pod, status=status)])) == (
        f"{down('oom')}: it runs out of memory: limit 100Mi, restarted 2 times. Hint: kubectl set "
        "resources deployment diag-oom -n diag --limits=memory=200Mi   # for later searches: "
        "kubectl edit configmap katib-config -n kubeflow"
    )


def test_a_service_that_went_on_after_it_had_no_memory() -> None:
    observed = served("service-oom")
    assert observed.suggestion
    running = [
        changed(each, state=ContainerState(running=Running()))
        for each in observed.pods[0].status.container_statuses
    ]
    pod = changed(
        observed.pods[0], status=changed(observed.pods[0].status, container_statuses=running)
    )
    killed = running[0].last_state.terminated
    assert killed
    assert killed.finished_at
    again = changed(
        observed.suggestion.metadata, creation_timestamp=killed.finished_at + timedelta(seconds=5)
    )
    later = killed.finished_at + timedelta(seconds=40)
    suggestion = changed(observed.suggestion, metadata=again)
    assert said(replace(observed, pods=[pod], suggestion=suggestion, now=later)) == "None"
    assert said(replace(observed, pods=[pod], now=later)).startswith(
        f"{down('oom')}: it runs out of"
    )


def test_a_service_that_may_not_have_a_pod() -> None:
    observed = served("service-quota")
    quota = (
        "the quota small of the namespace diag is used up (requested: requests.cpu=1500m, used: "
        "requests.cpu=0, limited: requests.cpu=1)"
    )
    assert said(observed).startswith(
        f"{down('quotadep')}: {quota}. Hint: kubectl describe resourcequota small"
    )


def test_a_refusal_of_a_service_that_is_over() -> None:
    observed = served("service-quota")
    assert observed.suggestion
    suggestion = changed(observed.suggestion, spec=SuggestionSpec())
    observed = replace(observed, suggestion=suggestion)
    name = observed.events[0].involved_object.name
    made = event("ReplicaSet", name, "SuccessfulCreate", f"Created pod: {name}-b7x2q")
    latest = max(each.latest or observed.now for each in observed.events)
    assert said(replace(observed, events=[dated(made, latest), *observed.events])) == "None"
    later = changed(suggestion.metadata, creation_timestamp=latest + timedelta(seconds=1))
    again = replace(observed, suggestion=changed(suggestion, metadata=later))
    assert said(again) == "None"


def test_a_service_that_does_not_get_ready() -> None:
    observed = katib_case("skoptzero")
    assert observed.suggestion
    unready = Condition(type="DeploymentReady", status="False", reason="DeploymentNotReady")
    suggestion = suggested(observed.suggestion, conditions=[unready])
    early = replace(observed, suggestion=suggestion, events=[])
    assert said(aged(early, 61)) == "None"
    assert said(aged(early, 62)) == (
        "The service of the algorithm bayesianoptimization is not ready, more than a minute after "
        "it started. Hint: kubectl logs skoptzero-bayesianoptimization-f945d99db-q86bq -n "
        "c-skoptzero"
    )


@pytest.mark.parametrize("ready", ["True", "False"])
def test_a_service_whose_image_is_pulled_for_long(ready: str) -> None:
    observed = katib_case("skoptzero")
    assert observed.suggestion
    unready = Condition(type="DeploymentReady", status=ready, reason="DeploymentNotReady")
    pulling = replace(
        observed,
        suggestion=changed(
            observed.suggestion,
            status=changed(observed.suggestion.status, conditions=[unready]),
        ),
        pods=[creating(observed.pods[0])],
        events=[],
    )
    unmounted = [each for each in observed.events if each.reason == "FailedMount"]
    pull = event("Pod", observed.pods[0].metadata.name, "Pulling", 'Pulling image "katib/skopt:1"')
    came = dated(pull, unmounted[0].latest or observed.now)
    for seconds in (30, 62, 600):
        assert said(aged(pulling, seconds)) == "None"
        told = replace(pulling, events=[came, *unmounted])
        assert said(aged(told, seconds)) == "None"


def test_an_algorithm_that_says_nothing() -> None:
    observed = replace(katib_case("skoptzero"), events=[])
    assert said(aged(observed, 61)) == "None"
    assert said(aged(observed, 62)) == (
        "The algorithm bayesianoptimization has given no assignment for more than a minute. Hint: "
        "kubectl logs skoptzero-bayesianoptimization-f945d99db-q86bq -n c-skoptzero"
    )
    assert said(aged(replace(observed, pods=[]), 60)).endswith(
        "Hint: kubectl describe suggestion skoptzero -n c-skoptzero"
    )


def test_a_trial_that_somebody_deleted() -> None:
    observed = replace(katib_case("nocommand"), trials=[], jobs=[])
    assert said(aged(observed, 19)) == "None"
    assert said(aged(observed, 40)) == (
        "Katib waits for the trial nocommand-hxrfff58, which was deleted. Hint: housectl stop "
        "nocommand   # what has ended well stays usable"
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            "rpc error: desc = the lower bound 1 has to be less than the upper bound 1",
            (
                "The search space has a parameter whose min is not below its max. Hint: housectl "
                "delete skoptzero   # then correct space: in housectl.yaml"
            ),
        ),
        (
            'rpc error: code = Internal desc = Same parameter is not found for Trial: name:"a"',
            (
                "The algorithm bayesianoptimization has lost its memory, because its pod or its "
                "Suggestion was made anew, and cannot go on. Hint: housectl stop skoptzero   # "
                "what has ended well stays usable"
            ),
        ),
        (
            "rpc error: code = Unavailable desc = name resolver error: produced zero addresses",
            (
                "Katib cannot go on: name resolver error: produced zero addresses. Hint: kubectl "
                "describe suggestion skoptzero -n c-skoptzero"
            ),
        ),
    ],
    ids=["bounds", "memory", "other"],
)
def test_an_error_that_comes_back(error: str, expected: str) -> None:
    observed = katib_case("skoptzero")
    assert said(replace(observed, events=[reconciled("skoptzero", error, 14)])) == expected


def test_an_error_that_came_seldom_or_does_no_harm() -> None:
    observed = aged(katib_case("skoptzero"), 30)
    harmless = 'Failed to reconcile: suggestions.kubeflow.org "skoptzero" already exists'
    changing = "the object has been modified; please apply your changes to the latest version"
    told = [
        reconciled("skoptzero", "rpc error", 8),
        reconciled("skoptzero", harmless, 50),
        reconciled("skoptzero", changing, 50),
        reconciled("another", "rpc error", 50),
        changed(event("Trial", "skoptzero", "ReconcileError", "rpc error"), count=50),
    ]
    assert said(replace(observed, events=told)) == "None"
    once_more = [*told, reconciled("skoptzero", "rpc error", 1)]
    assert said(replace(observed, events=once_more)).startswith("Katib cannot go on: rpc error. ")


def test_an_error_after_which_the_search_went_on() -> None:
    observed = katib_case("bayes12")
    made = observed.experiment.metadata.creation_timestamp
    fourth = sorted(trial.metadata.creation_timestamp or observed.now for trial in observed.trials)[
        3
    ]
    assert made
    before = dated(reconciled("bayes12", "should not contain 0 when using log-uniform prior", 14),
                   made - timedelta(minutes=25))  # fmt: skip
    cured = dated(reconciled("bayes12", "rpc error: server misbehaving", 12),
                  fourth - timedelta(seconds=5))  # fmt: skip
    for now in moments(observed):
        seen = at(observed, now)
        events = [*seen.events, before, *([cured] if fourth <= now else [])]
        assert said(replace(seen, events=events)) == "None", now


def test_an_error_of_a_former_search_of_that_name() -> None:
    observed = katib_case("skoptzero")
    assert observed.suggestion
    suggestion = changed(
        observed.suggestion, metadata=changed(observed.suggestion.metadata, uid="new")
    )
    told = dated(reconciled("skoptzero", "rpc error", 50), observed.now)
    cause = (
        "Katib cannot go on: rpc error. Hint: kubectl describe suggestion skoptzero -n c-skoptzero"
    )
    for uid, expected in (("old", "None"), ("new", cause)):
        involved = changed(told.involved_object, uid=uid)
        events = [changed(told, involved_object=involved)]
        assert said(replace(observed, suggestion=suggestion, events=events)) == expected


def test_an_error_does_not_matter_while_a_trial_runs() -> None:
    observed = replace(katib_case("nocommand"), jobs=[])
    told = reconciled("nocommand", "rpc error", 50)
    assert said(replace(observed, events=[told])) == "None"


def test_different_causes_are_counted() -> None:
    observed = katib_case("wrongname")
    lost = observed.trials[1]
    ended = Condition(type="Failed", status="True", message="Job message: it is lost")
    other = changed(lost, status=changed(lost.status, conditions=[ended]))
    pods = [pod for pod in observed.pods if lost.metadata.name not in pod.metadata.name]
    both = replace(observed, trials=[observed.trials[0], other], jobs=[], pods=pods)
    assert said(both) == (
        "2 of 2 trials failed: 1 x no metric: the training printed no mse=NUMBER, but a number "
        "called rmse; 1 x Katib says: it is lost. Hint: housectl logs wrongname "
        "--trial wrongname-74c282fs"
    )


def test_a_failed_experiment_with_a_usable_trial_is_explained() -> None:
    observed, well = katib_case("exit1_maxfailed"), katib_case("steps")
    assert said(replace(observed, trials=[*observed.trials, *well.trials])) == (
        "1 of 2 trials failed: exited 1: boom: cannot read data. Hint: housectl logs exit1mf "
        "--trial exit1mf-6fspcjks"
    )


def test_all_trials_that_run_are_stuck_or_it_goes_on() -> None:
    observed = katib_case("noimage")
    stuck = observed.trials[0]
    second = changed(stuck, metadata=changed(stuck.metadata, name="noimage-second"))
    assert said(replace(observed, trials=[stuck, second])) == "None"


def test_the_users_name_and_context_stand_in_the_cures() -> None:
    observed = replace(katib_case("nan"), name="boston-1", context="prod")
    assert "housectl stop boston-1 " in said(observed)
    silent = replace(katib_case("algoabsent"), context="prod")
    assert said(silent) == (
        "The service of the algorithm sobol-absent does not run: the image localhost/absent:1 "
        "cannot be pulled: dial tcp 127.0.0.1:80: connect: connection refused. Hint: kubectl "
        "--context prod describe pod algoabsent-sobol-absent-5999484568-ns794 -n c-algoabsent   # "
        "then push the image, or name another: kubectl --context prod edit configmap katib-config "
        "-n kubeflow"
    )


def test_the_first_seconds_of_an_experiment_are_normal() -> None:
    observed = waiting()
    early = replace(observed, pods=[creating(observed.pods[0])])
    for seconds in range(16):
        assert said(aged(early, seconds)) == "None"


def said(observed: ExperimentContext) -> str:
    return str(experiment_cause(observed))


def aged(observed: ExperimentContext, seconds: int) -> ExperimentContext:
    """Return the same experiment so many seconds after it was made."""
    made = observed.experiment.metadata.creation_timestamp
    assert made is not None
    return replace(observed, now=made + timedelta(seconds=seconds))


def waiting() -> ExperimentContext:
    """Return an experiment whose algorithm's service is about to start."""
    observed = katib_case("algoabsent")
    return replace(observed, events=[each for each in observed.events if "already" in each.message])


def creating(pod: Pod) -> Pod:
    """Return a pod whose containers are being made, or their images pulled."""
    waiting = ContainerState(waiting=Waiting(reason="ContainerCreating"))
    statuses = [changed(each, state=waiting) for each in pod.status.container_statuses]
    return changed(pod, status=changed(pod.status, container_statuses=statuses))


def served(name: str) -> ExperimentContext:
    """Return an experiment whose algorithm's service has a deployment that was recorded."""
    deployment, pods, events, now = service_case(name)
    observed = katib_case("skoptzero")
    return replace(
        observed,
        namespace="diag",
        experiment=renamed(observed.experiment, *deployment.split("-")),
        pods=pods,
        events=events,
        now=now,
    )


def down(algorithm: str) -> str:
    return f"The service of the algorithm {algorithm} does not run"


def suggested(suggestion: Suggestion, *, conditions: list[Condition]) -> Suggestion:
    return changed(suggestion, status=SuggestionStatus(conditions=conditions))


def renamed(experiment: KatibExperiment, name: str, algorithm: str) -> KatibExperiment:
    spec = changed(
        experiment.spec, algorithm=changed(experiment.spec.algorithm, algorithm_name=algorithm)
    )
    metadata = ObjectMeta(name=name, creation_timestamp=experiment.metadata.creation_timestamp)
    return changed(experiment, metadata=metadata, spec=spec)


def dated(event: Event, time: datetime) -> Event:
    return changed(event, last_timestamp=time)


def reconciled(name: str, message: str, count: int) -> Event:
    return changed(event("Suggestion", name, "ReconcileError", message), count=count)
