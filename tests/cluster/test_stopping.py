"""Searches that are stopped before anything of them has ended."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from housectl.backends.katib.backend import KatibBackend
from housectl.contract.inputs import Inputs
from housectl.errors import UnknownExperimentError
from housectl.experiment import Budget, ExperimentState
from tests.backends.conftest import inputs  # noqa: F401  # a fixture
from tests.backends.work import experiment, submit, wait_until
from tests.cluster.backend import katib_backend
from tests.cluster.nodes import kubectl


@pytest.fixture
def backend(namespace: str, inputs: Inputs) -> Iterator[KatibBackend]:  # noqa: F811
    backend = katib_backend(namespace, inputs.path.parent)
    yield backend
    for handle in backend.handles():
        backend.delete(handle)


@contextmanager
def no_room_for_trials(namespace: str) -> Iterator[None]:
    """Let nobody but the suggestion's service have a pod: trials ask for more memory."""
    limits = {"type": "Container", "max": {"memory": "200Mi"}}
    manifest = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "narrow", "namespace": namespace},
        "spec": {"limits": [limits]},
    }
    kubectl("apply", "--filename=-", given=json.dumps(manifest))
    try:
        yield
    finally:
        kubectl("delete", "limitrange/narrow", f"--namespace={namespace}")


def test_trials_that_never_had_a_pod_are_stopped_and_gone_on_with(
    backend: KatibBackend,
    namespace: str,
    inputs: Inputs,  # noqa: F811
) -> None:
    upload = submit(backend, experiment("first", budget=Budget(trials=1)), inputs)
    wait_until(backend, upload, lambda seen: seen.state.ended)
    with no_room_for_trials(namespace):
        handle = submit(backend, experiment("narrow", budget=Budget(trials=2)), inputs)
        wait_until(backend, handle, lambda seen: len(seen.trials) >= 1)
        backend.stop(handle)
    stopped = backend.observe(handle)
    assert (stopped.state, stopped.trials) == (ExperimentState.STOPPED, ())
    backend.resume(handle)
    resumed = wait_until(backend, handle, lambda seen: seen.state.ended)
    assert resumed.state is ExperimentState.SUCCEEDED
    assert len(resumed.trials) == 2


def test_a_search_without_any_trial_is_gone_when_it_is_stopped(
    backend: KatibBackend,
    inputs: Inputs,  # noqa: F811
) -> None:
    handle = submit(backend, experiment("early"), inputs)
    assert backend.observe(handle).trials == ()
    backend.stop(handle)
    with pytest.raises(UnknownExperimentError):
        backend.observe(handle)
    with pytest.raises(UnknownExperimentError):
        backend.handle("early")
