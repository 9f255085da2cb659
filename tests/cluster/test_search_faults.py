"""Searches with injected faults: their causes and hints in `housectl status`."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from housectl.errors import ExitStatus
from tests.cluster.fault_injection import (
    POLL_SECONDS,
    WAIT_FOR_COLLECTOR,
    Changes,
    FaultNamespace,
    new_fault_namespace,
    shell_training,
    start_all,
)

SKOPT = ("--algorithm", "bayesianoptimization")
BOUND = "spec.parameters.0.feasibleSpace"
UNMAPPED = {"name": "noise", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "9"}}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Changes of an Experiment, and its expected reason."""

    changes: Changes = field(default_factory=dict)
    options: Sequence[str] = ()
    reason: str


FAULTS: Mapping[str, Fault] = {
    "zero": Fault(
        options=SKOPT,
        changes={f"{BOUND}.min": "0"},
        reason="The algorithm bayesianoptimization searches real numbers on a logarithmic scale, "
        "so each min must be greater than 0. Hint: housectl delete zero   # then raise min under "
        "space: in housectl.yaml, or choose another --algorithm",
    ),
    "reversed": Fault(
        options=SKOPT,
        changes={f"{BOUND}.min": "0.9"},
        reason="The search space has a parameter whose min is not less than its max. Hint: "
        "housectl delete reversed   # then correct space: in housectl.yaml",
    ),
    "unmapped": Fault(
        changes={"spec.parameters.1": UNMAPPED},
        reason="The search space has a parameter that the trial's template does not use. Hint: "
        "housectl delete unmapped   # then use every parameter in trialParameters",
    ),
    "dotted": Fault(
        changes={"metadata.name": "dotted.name"},
        reason="The experiment name dotted is invalid for the algorithm's service: only letters, "
        "digits and dashes are allowed. Hint: housectl delete dotted   # then choose another "
        "--name",
    ),
    "rejected": Fault(
        options=SKOPT,
        changes={
            "spec.algorithm.algorithmSettings": [{"name": "base_estimator", "value": "FOO"}],
        },
        reason="The algorithm bayesianoptimization rejects the search: base_estimator FOO is not "
        "supported in Bayesian optimization. Hint: housectl render   # shows the rejected search "
        "space and settings",
    ),
}


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultNamespace]:
    """A namespace in which an experiment for each fault runs."""
    with new_fault_namespace(tmp_path_factory.mktemp("search")) as faults:
        start_all(faults, FAULTS)
        yield faults


@pytest.mark.parametrize("name", FAULTS)
def test_search_fault(name: str, faults: FaultNamespace) -> None:
    faults.expect_reason(name, FAULTS[name].reason)


def test_name_with_dot_is_rejected(faults: FaultNamespace) -> None:
    answer = faults.run("tune", "--name", "not.sent")
    assert answer.status == ExitStatus.USAGE
    assert (
        "error: The experiment name 'not.sent' is invalid: use up to 40 lower-case letters, digits "
        "and dashes, starting with a letter.\n"
        "hint:  housectl tune   # generates a timestamped name\n"
    ) in answer.err
    assert "not.sent" not in faults.kubectl("get", "experiments", "--output=name")


def test_harmless_reconcile_error_is_ignored(faults: FaultNamespace) -> None:
    """Two of Katib's controllers wrote at the same time, and the retry succeeded."""
    faults.start("harmless", shell_training(f"echo mse=0.5; {WAIT_FOR_COLLECTOR}"))
    experiment = json.loads(faults.kubectl("get", "experiment", "harmless", "--output=json"))
    metadata = experiment["metadata"]
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "harmless.1", "namespace": faults.namespace},
        "involvedObject": {
            "kind": "Experiment",
            "apiVersion": experiment["apiVersion"],
            **{key: metadata[key] for key in ("name", "namespace", "uid")},
        },
        "type": "Warning",
        "reason": "ReconcileError",
        "message": 'Failed to reconcile: suggestions.kubeflow.org "harmless" already exists',
        "firstTimestamp": metadata["creationTimestamp"],
        "lastTimestamp": metadata["creationTimestamp"],
        "count": 50,
    }
    faults.kubectl("create", "--filename=-", stdin=json.dumps(event))
    reasons = set()
    while not (snapshot := faults.observe("harmless")).state.ended:
        reasons.add(snapshot.reason)
        time.sleep(POLL_SECONDS)
    assert reasons == {None}
    status = faults.status("harmless")
    assert (status["state"], status["reason"]) == ("succeeded", None)
