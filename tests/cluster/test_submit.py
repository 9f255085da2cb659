"""Experiments that were created only in part, or whose names are taken."""

import json

import pytest

from housectl.backends.katib.backend import KatibBackend
from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.errors import AlreadyExistsError
from housectl.experiment import Budget, ExperimentState
from tests.backends.conftest import inputs  # noqa: F401  # a fixture
from tests.backends.workloads import experiment, submit, two_family_experiment, wait_until
from tests.cluster.backend import katib_backend
from tools.dev_cluster.kubectl import kubectl


def experiments(namespace: str) -> set[str]:
    listed = kubectl("get", "experiments", f"--namespace={namespace}", "--output=json")
    return {each["metadata"]["name"] for each in json.loads(listed)["items"]}


@pytest.fixture
def random_backend(namespace: str, inputs: Inputs) -> KatibBackend:  # noqa: F811
    """A backend that makes one Katib Experiment for each family."""
    return katib_backend(namespace, inputs.path.parent, algorithm="random")


def test_interrupted_submission_is_resumed(
    random_backend: KatibBackend,
    inputs: Inputs,  # noqa: F811
) -> None:
    backend = random_backend
    submit(backend, experiment("first", budget=Budget(trials=1)), inputs)
    manifest, _ = backend.plan(two_family_experiment("half"), inputs=inputs, image=None).manifests()
    kubectl("create", "--filename=-", stdin=json.dumps(manifest))
    handle = backend.handle("half")
    interrupted = wait_until(backend, handle, lambda snapshot: snapshot.state.ended)
    assert interrupted.state is ExperimentState.INTERRUPTED
    assert interrupted.reason == (
        "The command was killed before it created half-xgb. Resume with: housectl tune "
        "--resume half"
    )
    backend.resume(handle)
    resumed = wait_until(backend, handle, lambda snapshot: snapshot.state.ended)
    assert resumed.state is ExperimentState.SUCCEEDED
    assert [trial.family for trial in resumed.trials] == [Family.RANDOM_FOREST, Family.XGBOOST]


def test_taken_name_of_sub_experiment_leaves_nothing_behind(
    random_backend: KatibBackend,
    namespace: str,
    inputs: Inputs,  # noqa: F811
) -> None:
    backend = random_backend
    submit(backend, experiment("way-xgb", budget=Budget(trials=1)), inputs)
    with pytest.raises(AlreadyExistsError) as caught:
        submit(backend, two_family_experiment("way"), inputs)
    assert caught.value.message == "way-xgb has experiments.kubeflow.org/way-xgb already."
    assert caught.value.hint == "housectl delete way-xgb   # or choose another --name"
    assert "way-rf" not in experiments(namespace)


def test_experiment_that_housectl_did_not_create(
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
    assert "which housectl did not create" in caught.value.message
    assert "delete experiments.kubeflow.org/foreign" in caught.value.hint
    kubectl("delete", "experiments.kubeflow.org/foreign", f"--namespace={namespace}")
