"""One list of trials: a search gives the same trials locally and on a cluster, at any width.

The cluster loses pods whose loss must not change the list. The pod of the algorithm's service is
deleted, and a trial's pod is evicted, as from a drained node. A trial whose pod is deleted outright
has failed, so no test deletes one.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from housectl.backends.base import Backend, Snapshot
from housectl.backends.katib.backend import KatibBackend
from housectl.backends.local.backend import LocalBackend
from housectl.contract.bundle import read_bundle
from housectl.contract.families import Family
from housectl.contract.files import file_digest
from housectl.contract.inputs import Inputs
from housectl.experiment import (
    Budget,
    Experiment,
    ExperimentState,
    Limits,
    Parameter,
    ParameterKind,
    SearchSpace,
    Trial,
    TrialState,
    best_trial,
)
from housectl.search.katib_texts import trial_name
from tests.backends.conftest import inputs  # noqa: F401  # a fixture
from tests.backends.workloads import seal_task, submit, wait_for_end, wait_until_finished
from tests.cluster.backend import katib_backend
from tools.dev_cluster.kubectl import kubectl

TRIALS = 12
TIMEOUT_SECONDS = 120.0
# Both families have assignments that are much worse than others, so some trials are pruned.
FOREST = SearchSpace(
    parameters=(
        Parameter(name="max_features", kind=ParameterKind.DOUBLE, minimum=0.1, maximum=1, step=0.1),
        Parameter(
            name="min_samples_leaf", kind=ParameterKind.INT, minimum=1, maximum=128, log=True
        ),
        Parameter(
            name="criterion",
            kind=ParameterKind.CATEGORICAL,
            choices=("squared_error", "absolute_error"),
        ),
    ),
    fixed={"n_estimators": 10},
    enqueued=({"max_features": 0.5, "min_samples_leaf": 1, "criterion": "squared_error"},),
)
BOOSTING = SearchSpace(
    parameters=(
        Parameter(
            name="learning_rate", kind=ParameterKind.DOUBLE, minimum=0.01, maximum=0.5, log=True
        ),
        Parameter(name="gamma", kind=ParameterKind.DOUBLE, minimum=0, maximum=5),
        Parameter(name="max_depth", kind=ParameterKind.INT, minimum=1, maximum=5),
    ),
    fixed={"n_estimators": 30},
    enqueued=({"learning_rate": 0.2, "gamma": 0.0, "max_depth": 4},),
)


def search(workers: int) -> Experiment:
    """Return a search whose last trials depend on the results of the first ones."""
    return Experiment(
        name=f"list-{workers}",
        spaces={Family.RANDOM_FOREST: FOREST, Family.XGBOOST: BOOSTING},
        budget=Budget(trials=TRIALS),
        limits=Limits(seconds=900),
        workers=workers,
        seed=11,
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Everything that must not depend on the backend or the number of workers.

    Attributes:
        trials: Number, family, assignment, state, objective and measured folds of each trial.
        best: The trial with the lowest objective; its name and its times may differ.
        model: Digest of the best trial's model.
    """

    trials: Sequence[tuple[object, ...]]
    best: Trial = field(compare=False)
    model: str


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A backend that runs searches of the same inputs."""

    backend: Backend
    inputs: Inputs

    def outcome(self, experiment: Experiment, directory: Path) -> Outcome:
        """Run a search and return the outcome."""
        handle = submit(self.backend, experiment, self.inputs)
        snapshot = wait_for_end(self.backend, handle)
        assert snapshot.state is ExperimentState.SUCCEEDED, snapshot
        if isinstance(self.backend, KatibBackend):
            check_names(experiment, snapshot)
        best = best_trial(snapshot.trials)
        assert best is not None
        output = self.backend.fetch(handle, best.name, directory / "trial")
        model = file_digest(output / best.family.definition.native_file)
        return Outcome(trials=rows(snapshot), best=best, model=model)

    def sealed(self, outcome: Outcome, directory: Path) -> str:
        """Return the digest of the bundle that the best trial is sealed into."""
        best = outcome.best
        task = seal_task("seal", best.assignment, model_sha256=outcome.model)
        sealed = submit(self.backend, replace(task, family=best.family), self.inputs)
        assert wait_for_end(self.backend, sealed).state is ExperimentState.SUCCEEDED
        return read_bundle(self.backend.fetch(sealed, None, directory) / "bundle").digest


@pytest.fixture(scope="module")
def on_cluster(namespace: str, inputs: Inputs) -> Iterator[Runner]:  # noqa: F811
    backend = katib_backend(namespace, inputs.path.parent)
    yield Runner(backend=backend, inputs=inputs)
    for handle in backend.handles():
        backend.delete(handle)


@pytest.fixture(scope="module")
def local_outcome(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Outcome:  # noqa: F811
    directory = tmp_path_factory.mktemp("local")
    return on_this_machine(inputs, directory).outcome(search(1), directory)


def test_list_has_pruned_trials_and_both_families(local_outcome: Outcome) -> None:
    states = [state for _, _, _, state, *_ in local_outcome.trials]
    assert len(states) == TRIALS
    assert set(states) == {TrialState.SUCCEEDED, TrialState.PRUNED}
    families = [family for _, family, *_ in local_outcome.trials]
    assert families == [Family.RANDOM_FOREST, Family.XGBOOST] * (TRIALS // 2)


@pytest.mark.parametrize("workers", [2, 8])
def test_local_width_does_not_change_the_list(
    workers: int,
    inputs: Inputs,  # noqa: F811
    local_outcome: Outcome,
    tmp_path: Path,
) -> None:
    assert on_this_machine(inputs, tmp_path).outcome(search(workers), tmp_path) == local_outcome


@pytest.mark.parametrize("workers", [2, 6])
def test_cluster_with_lost_pods_gives_the_local_list(
    workers: int, namespace: str, on_cluster: Runner, local_outcome: Outcome, tmp_path: Path
) -> None:
    experiment = search(workers)
    with ThreadPoolExecutor() as pool:
        lost = pool.submit(lose_pods, namespace, experiment)
        outcome = on_cluster.outcome(experiment, tmp_path)
    assert len(lost.result()) == 2
    assert outcome == local_outcome


def test_cluster_seals_the_best_trial_into_the_local_bundle(
    on_cluster: Runner,
    inputs: Inputs,  # noqa: F811
    local_outcome: Outcome,
    tmp_path: Path,
) -> None:
    local = on_this_machine(inputs, tmp_path).sealed(local_outcome, tmp_path / "local")
    assert on_cluster.sealed(local_outcome, tmp_path / "cluster") == local


def test_stopped_and_resumed_search_gives_the_same_list(
    on_cluster: Runner, local_outcome: Outcome
) -> None:
    backend = on_cluster.backend
    experiment = replace(search(2), name="resumed", budget=Budget(trials=10))
    handle = submit(backend, experiment, on_cluster.inputs)
    wait_until_finished(backend, handle, 3)
    backend.stop(handle)
    stopped = backend.observe(handle)
    assert stopped.state is ExperimentState.STOPPED
    backend.resume(handle)
    resumed = wait_for_end(backend, handle)
    assert resumed.state is ExperimentState.SUCCEEDED
    assert rows(resumed) == local_outcome.trials[:10]
    assert set(map(str, rows(stopped))) <= set(map(str, rows(resumed)))
    check_names(experiment, resumed)


def on_this_machine(inputs: Inputs, directory: Path) -> Runner:  # noqa: F811
    return Runner(backend=LocalBackend(directory / "runs"), inputs=inputs)


def rows(snapshot: Snapshot) -> Sequence[tuple[object, ...]]:
    return [
        (
            trial.number,
            trial.family,
            dict(sorted(trial.assignment.items())),
            trial.state,
            trial.mse,
            trial.pruned_after,
        )
        for trial in snapshot.trials
    ]


def check_names(experiment: Experiment, snapshot: Snapshot) -> None:
    assert [trial.name for trial in snapshot.trials] == [
        trial_name(experiment, number) for number in range(experiment.budget.trials)
    ]


def lose_pods(namespace: str, experiment: Experiment) -> Sequence[str]:
    """Delete the pod of the algorithm's service, evict a running trial's, and return both names.

    The trial is one whose result later suggestions depend on.
    """
    service = wait_for_pod(namespace, f"katib.kubeflow.org/suggestion={experiment.name}")
    trial = wait_for_pod(namespace, f"job-name={trial_name(experiment, 1)}")
    evict(namespace, trial)
    kubectl("delete", service, f"--namespace={namespace}", "--wait=false")
    return service, trial


def evict(namespace: str, pod: str) -> None:
    name = pod.removeprefix("pod/")
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
    }
    path = f"/api/v1/namespaces/{namespace}/pods/{name}/eviction"
    kubectl("create", f"--raw={path}", "--filename=-", stdin=json.dumps(eviction))


def wait_for_pod(namespace: str, selector: str) -> str:
    """Return the name of a running pod, with its kind."""
    get = ("get", "pods", f"--namespace={namespace}", f"--selector={selector}", "--output=name")
    running = "--field-selector=status.phase=Running"
    return wait_for(lambda: kubectl(*get, running).partition("\n")[0])


def wait_for(condition: Callable[[], str]) -> str:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (result := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.7)
    return result
