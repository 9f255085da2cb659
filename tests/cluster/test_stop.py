"""Experiments that are stopped before any trial has finished."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from housectl.backends.katib.backend import KatibBackend
from housectl.backends.katib.stop_marks import STOP_DEADLINE_SECONDS
from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.errors import UnknownExperimentError
from housectl.experiment import Budget, Experiment, ExperimentState, failed_trials
from tests.backends.conftest import inputs  # noqa: F401  # a fixture
from tests.backends.workloads import (
    SMALL_FOREST,
    experiment,
    submit,
    two_family_experiment,
    wait_until,
)
from tests.cluster.backend import katib_backend
from tools.dev_cluster.kubectl import kubectl
from tools.project_directory import example

# The memory limit of the algorithm's service is 512Mi, see docs/katib.md.
MAX_CONTAINER_MEMORY = "600Mi"
TRIAL_MEMORY = 700 * 2**20


@pytest.fixture
def uploaded_inputs(backend: KatibBackend, inputs: Inputs) -> Inputs:  # noqa: F811
    """Inputs that are on the PVC already, so that a submission needs no volume pod."""
    handle = submit(backend, experiment("first", budget=Budget(trials=1)), inputs)
    wait_until(backend, handle, lambda snapshot: snapshot.state.ended)
    return inputs


@contextmanager
def memory_limit_range(memory: str, namespace: str) -> Iterator[None]:
    """Let the namespace reject every pod with a higher memory limit."""
    limits = {"type": "Container", "max": {"memory": memory}}
    manifest = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "narrow", "namespace": namespace},
        "spec": {"limits": [limits]},
    }
    kubectl("apply", "--filename=-", stdin=json.dumps(manifest))
    try:
        yield
    finally:
        kubectl("delete", "limitrange/narrow", f"--namespace={namespace}")


def can_still_be_changed(name: str, namespace: str) -> bool:
    """Return True if Katib's validator accepts further changes of an Experiment.

    It rejects every change that leaves no room for another trial.
    """
    output = kubectl("get", f"experiment/{name}", f"--namespace={namespace}", "--output=json")
    experiment = json.loads(output)
    return bool(experiment["spec"]["maxTrialCount"] > experiment["status"].get("trials", 0))


def memory_hungry(name: str) -> Experiment:
    """Return an experiment whose trials exceed the memory limit of the namespace."""
    plain = experiment(name, budget=Budget(trials=2))
    return replace(plain, limits=replace(plain.limits, memory=TRIAL_MEMORY))


def test_stop_and_resume_trials_without_pods(
    backend: KatibBackend,
    namespace: str,
    uploaded_inputs: Inputs,
) -> None:
    with memory_limit_range(MAX_CONTAINER_MEMORY, namespace):
        handle = submit(backend, memory_hungry("narrow"), uploaded_inputs)
        wait_until(backend, handle, lambda snapshot: len(snapshot.trials) >= 1)
        backend.stop(handle)
    stopped = backend.observe(handle)
    assert (stopped.state, stopped.trials) == (ExperimentState.STOPPED, ())
    backend.resume(handle)
    resumed = wait_until(backend, handle, lambda snapshot: snapshot.state.ended)
    assert resumed.state is ExperimentState.SUCCEEDED
    assert len(resumed.trials) == 2


def test_stop_after_killed_stop_deletes_interrupted_trials(
    backend: KatibBackend, namespace: str, uploaded_inputs: Inputs
) -> None:
    # No trial ends before the deadline of its job is changed.
    slow = replace(SMALL_FOREST, fixed={"n_estimators": 2000, "criterion": "absolute_error"})
    search = experiment("half", space=slow, budget=Budget(trials=3), workers=1)
    handle = submit(backend, search, uploaded_inputs)
    running = wait_until(backend, handle, lambda snapshot: len(snapshot.trials) >= 1)
    change = json.dumps({"spec": {"activeDeadlineSeconds": STOP_DEADLINE_SECONDS}})
    job = f"job/{running.trials[0].name}"
    kubectl("wait", job, f"--namespace={namespace}", "--for=create", "--timeout=60s")
    kubectl("patch", job, f"--namespace={namespace}", "--type=merge", f"--patch={change}")
    failed = wait_until(backend, handle, lambda snapshot: bool(failed_trials(snapshot.trials)))
    assert failed.trials[0].cause == (
        "it was stopped with its search. Hint: housectl tune --resume half"
    )
    backend.stop(handle)
    assert failed_trials(backend.observe(handle).trials) == []
    assert can_still_be_changed("half", namespace)


def test_stop_experiment_with_one_family_without_trials(
    namespace: str, uploaded_inputs: Inputs
) -> None:
    backend = katib_backend(namespace, uploaded_inputs.path.parent, algorithm="random")
    forest, boosting = backend.plan(
        two_family_experiment("one-family"), inputs=uploaded_inputs, image=None
    ).manifests()
    kubectl("create", "--filename=-", stdin=json.dumps(forest))
    handle = backend.handle("one-family")
    wait_until(backend, handle, lambda snapshot: snapshot.state.ended)
    with memory_limit_range("1Mi", namespace):
        kubectl("create", "--filename=-", stdin=json.dumps(boosting))
        backend.stop(handle)
    assert backend.observe(handle).state is ExperimentState.STOPPED
    backend.resume(handle)
    resumed = wait_until(backend, handle, lambda snapshot: snapshot.state.ended)
    assert resumed.state is ExperimentState.SUCCEEDED
    assert {trial.family for trial in resumed.trials} == {Family.RANDOM_FOREST, Family.XGBOOST}


def test_stop_without_trials_deletes_the_experiment(
    backend: KatibBackend, namespace: str, uploaded_inputs: Inputs, tmp_path: Path
) -> None:
    project = example(".", tmp_path / "boston", backend="katib", katib={"namespace": namespace})
    with memory_limit_range("1Mi", namespace):
        handle = submit(backend, experiment("early"), uploaded_inputs)
        assert backend.observe(handle).trials == ()
        stopped = project.run_ok("stop", "early", "--json").json
        assert stopped == {"experiment": "early", "state": "deleted"}
    with pytest.raises(UnknownExperimentError):
        backend.observe(handle)
    with pytest.raises(UnknownExperimentError):
        backend.handle("early")
