"""Searches that are stopped before anything of them has ended."""

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
from tests.backends.workloads import experiment, submit, two_family_experiment, wait_until
from tools.dev_cluster.kubectl import kubectl
from tools.project_directory import example

# The algorithm's service may have 512Mi, as docs/katib.md has it.
BETWEEN = "600Mi"
MORE = 700 * 2**20


@pytest.fixture
def uploaded(backend: KatibBackend, inputs: Inputs) -> Inputs:  # noqa: F811
    """Inputs that lie on the volume already, so that a submission needs no pod of its own."""
    handle = submit(backend, experiment("first", budget=Budget(trials=1)), inputs)
    wait_until(backend, handle, lambda seen: seen.state.ended)
    return inputs


@contextmanager
def memory_at_most(memory: str, namespace: str) -> Iterator[None]:
    """Refuse every pod that may have more."""
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


def katib_would_take_it(name: str, namespace: str) -> bool:
    """Return whether Katib's validator allows what was made of an Experiment.

    It refuses every change after which there is no room for another trial.
    """
    got = kubectl("get", f"experiment/{name}", f"--namespace={namespace}", "--output=json")
    experiment = json.loads(got)
    return bool(experiment["spec"]["maxTrialCount"] > experiment["status"].get("trials", 0))


def large(name: str) -> Experiment:
    """An experiment whose trials may have more memory than the algorithm's service."""
    plain = experiment(name, budget=Budget(trials=2))
    return replace(plain, limits=replace(plain.limits, memory=MORE))


def test_trials_that_never_had_a_pod_are_stopped_and_gone_on_with(
    backend: KatibBackend,
    namespace: str,
    uploaded: Inputs,
) -> None:
    with memory_at_most(BETWEEN, namespace):
        handle = submit(backend, large("narrow"), uploaded)
        wait_until(backend, handle, lambda seen: len(seen.trials) >= 1)
        backend.stop(handle)
    stopped = backend.observe(handle)
    assert (stopped.state, stopped.trials) == (ExperimentState.STOPPED, ())
    backend.resume(handle)
    resumed = wait_until(backend, handle, lambda seen: seen.state.ended)
    assert resumed.state is ExperimentState.SUCCEEDED
    assert len(resumed.trials) == 2


def test_what_a_killed_stop_has_cut_off_is_no_trial(
    backend: KatibBackend, namespace: str, uploaded: Inputs
) -> None:
    search = experiment("half", budget=Budget(trials=3), workers=1)
    handle = submit(backend, search, uploaded)
    running = wait_until(backend, handle, lambda seen: len(seen.trials) >= 1)
    change = json.dumps({"spec": {"activeDeadlineSeconds": STOP_DEADLINE_SECONDS}})
    job = f"job/{running.trials[0].name}"
    kubectl("wait", job, f"--namespace={namespace}", "--for=create", "--timeout=60s")
    kubectl("patch", job, f"--namespace={namespace}", "--type=merge", f"--patch={change}")
    failed = wait_until(backend, handle, lambda seen: bool(failed_trials(seen.trials)))
    assert failed.trials[0].cause == (
        "it was stopped with its search. Hint: housectl tune --resume half"
    )
    backend.stop(handle)
    assert failed_trials(backend.observe(handle).trials) == []
    assert katib_would_take_it("half", namespace)


def test_a_family_that_had_no_trial_is_stopped_with_the_other(
    backend: KatibBackend, namespace: str, uploaded: Inputs
) -> None:
    forest, boosting = backend.plan(
        two_family_experiment("one-family"), inputs=uploaded, image=None
    ).manifests()
    kubectl("create", "--filename=-", stdin=json.dumps(forest))
    handle = backend.handle("one-family")
    wait_until(backend, handle, lambda seen: seen.state.ended)
    with memory_at_most("1Mi", namespace):
        kubectl("create", "--filename=-", stdin=json.dumps(boosting))
        backend.stop(handle)
    assert backend.observe(handle).state is ExperimentState.STOPPED
    backend.resume(handle)
    resumed = wait_until(backend, handle, lambda seen: seen.state.ended)
    assert resumed.state is ExperimentState.SUCCEEDED
    assert {trial.family for trial in resumed.trials} == set(Family)


def test_a_search_without_any_trial_is_gone_when_it_is_stopped(
    backend: KatibBackend, namespace: str, uploaded: Inputs, tmp_path: Path
) -> None:
    project = example(".", tmp_path / "boston", backend="katib", katib={"namespace": namespace})
    with memory_at_most("1Mi", namespace):
        handle = submit(backend, experiment("early"), uploaded)
        assert backend.observe(handle).trials == ()
        stopped = project.run_ok("stop", "early", "--json").json
        assert stopped == {"experiment": "early", "state": "deleted"}
    with pytest.raises(UnknownExperimentError):
        backend.observe(handle)
    with pytest.raises(UnknownExperimentError):
        backend.handle("early")
