"""Searches that do not begin, and one that only seems not to: what `housectl status` says."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from housectl.errors import ExitStatus
from tests.cluster.fault_injection import (
    WHILE_COLLECTOR_LOOKS,
    Changes,
    Drills,
    begin_all,
    drilling,
    training,
)

pytestmark = pytest.mark.alone

SKOPT = ("--algorithm", "bayesianoptimization")
BOUND = "spec.parameters.0.feasibleSpace"
UNMAPPED = {"name": "noise", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "9"}}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is changed in an Experiment, and what is then said of it."""

    changes: Changes = field(default_factory=dict)
    options: Sequence[str] = ()
    reason: str


FAULTS: Mapping[str, Fault] = {
    "zero": Fault(
        options=SKOPT,
        changes={f"{BOUND}.min": "0"},
        reason="The algorithm bayesianoptimization searches real numbers on a logarithmic scale, "
        "so that each min has to be above 0. Hint: housectl delete zero   # then raise min under "
        "space: in housectl.yaml, or choose another --algorithm",
    ),
    "reversed": Fault(
        options=SKOPT,
        changes={f"{BOUND}.min": "0.9"},
        reason="The search space has a parameter whose min is not below its max. Hint: housectl "
        "delete reversed   # then correct space: in housectl.yaml",
    ),
    "unmapped": Fault(
        changes={"spec.parameters.1": UNMAPPED},
        reason="The search space has a parameter that the trial's template does not use. Hint: "
        "housectl delete unmapped   # then use every parameter in trialParameters",
    ),
    "dotted": Fault(
        changes={"metadata.name": "dotted.name"},
        reason="The algorithm's service cannot be called after the experiment dotted: a name has "
        "letters, digits and dashes only. Hint: housectl delete dotted   # then choose another "
        "--name",
    ),
    "refused": Fault(
        options=SKOPT,
        changes={
            "spec.algorithm.algorithmSettings": [{"name": "base_estimator", "value": "FOO"}],
        },
        reason="The algorithm bayesianoptimization refuses the search: base_estimator FOO is not "
        "supported in Bayesian optimization. Hint: housectl render   # shows the search space and "
        "settings that it refuses",
    ),
}


@pytest.fixture(scope="module")
def drills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drills]:
    """A namespace in which all faults have been begun at once."""
    with drilling(tmp_path_factory.mktemp("search")) as drills:
        begin_all(drills, FAULTS)
        yield drills


@pytest.mark.parametrize("name", FAULTS)
def test_a_search_that_does_not_begin(name: str, drills: Drills) -> None:
    drills.expect(name, FAULTS[name].reason)


def test_a_name_with_a_dot_is_not_sent(drills: Drills) -> None:
    answer = drills.run("tune", "--name", "not.sent")
    assert answer.status == ExitStatus.USAGE
    assert answer.err.startswith(
        "error: The experiment name 'not.sent' is invalid: use up to 40 lower-case letters, digits "
        "and dashes, starting with a letter.\n"
        "hint:  housectl tune   # generates a timestamped name\n"
    )
    assert "not.sent" not in drills.kubectl("get", "experiments", "--output=name")


def test_a_harmless_event_is_not_told(drills: Drills) -> None:
    """Two of Katib's controllers wrote at once, which ends well, as often as it is told."""
    drills.start("harmless", training(f"echo mse=0.5; {WHILE_COLLECTOR_LOOKS}"))
    experiment = json.loads(drills.kubectl("get", "experiment", "harmless", "--output=json"))
    metadata = experiment["metadata"]
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "harmless.1", "namespace": drills.namespace},
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
    drills.kubectl("create", "--filename=-", given=json.dumps(event))
    reasons = set()
    while (status := drills.status("harmless"))["state"] not in {"succeeded", "failed"}:
        reasons.add(status["reason"])
    assert reasons == {None}
    assert (status["state"], status["reason"]) == ("succeeded", None)
