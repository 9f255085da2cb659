"""Trials that fail, each in its own way: `housectl status` says why, and what to type."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.cluster.fault_injection import (
    JOB,
    TRAINER,
    VALUES,
    WHILE_COLLECTOR_LOOKS,
    Changes,
    Drills,
    begin_all,
    drilling,
    training,
)

pytestmark = pytest.mark.alone


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is changed in an Experiment, and what is then said of its only trial."""

    changes: Changes = field(default_factory=dict)
    options: tuple[str, ...] = ()
    what: str
    hint: str = "housectl logs {name} --trial {trial}"

    @property
    def reason(self) -> str:
        return f"1 of 1 trials failed: {self.what} Hint: {self.hint}"


COLLECTOR = "kubectl logs {pod} -c metrics-logger-and-collector -n {namespace}"
FAULTS = {
    "oom": Fault(
        options=("--trial-memory", "48Mi"),
        what="out of memory: limit 48Mi, peak 48 MiB.",
        hint="housectl tune --trial-memory 96Mi",
    ),
    "exit": Fault(
        changes={f"{TRAINER}.command.18": "n_leaves=${trialParameters.max_features}"},
        what="exited 2: The family random-forest has no parameter 'n_leaves'.",
    ),
    "slow": Fault(
        options=("--trial-time", "1s"),
        what="timed out: limit 1 s.",
        hint="housectl tune --trial-time 2s",
    ),
    "deadline": Fault(
        changes={**training("sleep 600"), f"{JOB}.activeDeadlineSeconds": 4},
        what="timed out: limit 4 s.",
        hint="housectl tune --trial-time 8s",
    ),
    "never-placed": Fault(
        changes={
            f"{JOB}.activeDeadlineSeconds": 4,
            f"{TRAINER}.resources.requests.cpu": "900",
            f"{TRAINER}.resources.limits.cpu": "900",
        },
        what="timed out after 4 s, before its pod was up: it waits for cpu: it asks for 900, and "
        "no node has that free (1 Insufficient cpu).",
        hint="kubectl describe nodes   # shows what is free; what it asks for stands under katib: "
        "in housectl.yaml",
    ),
    "no-metric": Fault(
        changes=training(f"echo loss=3; {WHILE_COLLECTOR_LOOKS}"),
        what="no metric: the training printed no mse=NUMBER, but a number called loss.",
    ),
    "nan": Fault(
        changes=training(f"echo mse=nan; {WHILE_COLLECTOR_LOOKS}"),
        what='the training printed "mse=nan", which is no finite number.',
    ),
    "quick": Fault(
        changes={f"{TRAINER}.command": ["true", *VALUES.split()]},
        what="its metric is lost, because the training ended before Katib's metrics collector "
        "looked.",
        hint=f"{COLLECTOR}   # a training has to run for 2 s, on a busy node for 10 s",
    ),
    "no-directory": Fault(
        changes={f"{TRAINER}.workingDir": "/dev/null/none"},
        what="the command of the image housectl-trainer:dev cannot be started: error during "
        "container init: mkdir /dev/null: not a directory.",
        hint="kubectl describe pod {pod} -n {namespace}   # then name another: housectl tune "
        "--image IMAGE",
    ),
}


@pytest.fixture(scope="module")
def drills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drills]:
    """A namespace with the inputs on its claim, in which all faults have been begun at once."""
    with drilling(tmp_path_factory.mktemp("trials")) as drills:
        drills.upload()
        begin_all(drills, FAULTS)
        yield drills


@pytest.mark.parametrize("name", FAULTS)
def test_a_trial_that_fails(name: str, drills: Drills) -> None:
    drills.expect(name, FAULTS[name].reason)
