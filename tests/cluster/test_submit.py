"""Searches of which only a part was made, or whose names others have."""

import json

import pytest

from housectl.backends.katib.backend import KatibBackend
from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.errors import AlreadyExistsError
from housectl.experiment import Budget, ExperimentState
from tests.backends.conftest import inputs  # noqa: F401  # a fixture
from tests.backends.workloads import experiment, submit, two_family_experiment, wait_until
from tools.dev_cluster.kubectl import kubectl


def experiments(namespace: str) -> set[str]:
    listed = kubectl("get", "experiments", f"--namespace={namespace}", "--output=json")
    return {each["metadata"]["name"] for each in json.loads(listed)["items"]}


def test_a_search_whose_submission_was_cut_off_goes_on(
    backend: KatibBackend,
    inputs: Inputs,  # noqa: F811
) -> None:
    submit(backend, experiment("first", budget=Budget(trials=1)), inputs)
    made, _ = backend.plan(two_family_experiment("half"), inputs=inputs, image=None).manifests()
    kubectl("create", "--filename=-", stdin=json.dumps(made))
    handle = backend.handle("half")
    cut_off = wait_until(backend, handle, lambda seen: seen.state.ended)
    assert cut_off.state is ExperimentState.INTERRUPTED
    assert cut_off.reason == (
        "half-xgb was never made: the command was killed. To go on: housectl tune --resume half"
    )
    backend.resume(handle)
    resumed = wait_until(backend, handle, lambda seen: seen.state.ended)
    assert resumed.state is ExperimentState.SUCCEEDED
    assert [trial.family for trial in resumed.trials] == list(Family)


def test_a_search_in_the_way_of_another_is_named_and_nothing_half_is_left(
    backend: KatibBackend,
    namespace: str,
    inputs: Inputs,  # noqa: F811
) -> None:
    submit(backend, experiment("way-xgb", budget=Budget(trials=1)), inputs)
    with pytest.raises(AlreadyExistsError) as caught:
        submit(backend, two_family_experiment("way"), inputs)
    assert caught.value.message == "way-xgb has experiments.kubeflow.org/way-xgb already."
    assert caught.value.hint == "housectl delete way-xgb   # or choose another --name"
    assert "way-rf" not in experiments(namespace)


def test_an_experiment_that_is_not_ours_is_named(
    backend: KatibBackend,
    namespace: str,
    inputs: Inputs,  # noqa: F811
) -> None:
    plan = backend.plan(experiment("foreign", budget=Budget(trials=1)), inputs=inputs, image=None)
    (manifest,) = plan.manifests()
    bare = {"name": "foreign", "namespace": namespace}
    kubectl("create", "--filename=-", stdin=json.dumps({**manifest, "metadata": bare}))
    with pytest.raises(AlreadyExistsError) as caught:
        submit(backend, experiment("foreign"), inputs)
    assert "which housectl did not make" in caught.value.message
    assert "delete experiments.kubeflow.org/foreign" in caught.value.hint
    kubectl("delete", "experiments.kubeflow.org/foreign", f"--namespace={namespace}")
