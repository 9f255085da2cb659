"""Trials with injected faults: their causes and hints in `housectl status`."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.cluster.fault_injection import (
    JOB,
    PARAMETERS,
    TRAINER,
    WAIT_FOR_COLLECTOR,
    Changes,
    FaultNamespace,
    new_fault_namespace,
    shell_training,
    start_all,
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Changes of an Experiment, and the expected cause of its only trial."""

    changes: Changes = field(default_factory=dict)
    options: tuple[str, ...] = ()
    message: str
    hint: str = "housectl logs {name} --trial {trial}"

    @property
    def reason(self) -> str:
        return f"1 of 1 trials failed: {self.message} Hint: {self.hint}"


COLLECTOR = "kubectl logs {pod} -c metrics-logger-and-collector -n {namespace}"
FAULTS = {
    "oom": Fault(
        options=("--trial-memory", "48Mi"),
        message="out of memory: limit 48Mi, peak 48 MiB.",
        hint="housectl tune --trial-memory 96Mi",
    ),
    "exit": Fault(
        changes={f"{TRAINER}.command.19": "n_leaves=${trialParameters.max_features}"},
        message="exited 2: The family random-forest has no parameter 'n_leaves'.",
    ),
    "slow": Fault(
        options=("--trial-time", "1s"),
        changes={f"{TRAINER}.command.20": "n_estimators=100000"},
        message="timed out: limit 1 s.",
        hint="housectl tune --trial-time 2s",
    ),
    "deadline": Fault(
        changes={**shell_training("sleep 600"), f"{JOB}.activeDeadlineSeconds": 20},
        message="timed out: limit 20 s.",
        hint="housectl tune --trial-time 40s",
    ),
    "never-placed": Fault(
        changes={
            f"{JOB}.activeDeadlineSeconds": 4,
            f"{TRAINER}.resources.requests.cpu": "900",
            f"{TRAINER}.resources.limits.cpu": "900",
        },
        message="timed out after 4 s, before its pod was ready: no node has enough free cpu: its "
        "pod requests 900 (1 Insufficient cpu).",
        hint="kubectl describe nodes   # shows free resources; its requests are set under katib: "
        "in housectl.yaml",
    ),
    "no-metric": Fault(
        changes=shell_training(f"echo loss=3; {WAIT_FOR_COLLECTOR}"),
        message="no metric: the training printed no mse=NUMBER, but a number called loss.",
    ),
    "nan": Fault(
        changes=shell_training(f"echo mse=nan; {WAIT_FOR_COLLECTOR}"),
        message='the training printed "mse=nan", which is not a finite number.',
    ),
    "quick": Fault(
        changes={f"{TRAINER}.command": ["true", *PARAMETERS.split()]},
        message="its metric is lost: the training ended before Katib's metrics collector looked "
        "for it.",
        hint=f"{COLLECTOR}   # a training must run for 2 s, on a busy node for 10 s",
    ),
    "no-directory": Fault(
        changes={f"{TRAINER}.workingDir": "/dev/null/none"},
        message="the command of the image housectl-trainer:dev cannot be started: error during "
        "container init: mkdir /dev/null: not a directory.",
        hint="kubectl describe pod {pod} -n {namespace}   # then choose another image: "
        "housectl tune --image IMAGE",
    ),
}


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultNamespace]:
    """A namespace with the inputs on its PVC, in which an experiment for each fault runs."""
    with new_fault_namespace(tmp_path_factory.mktemp("trials")) as faults:
        faults.upload()
        start_all(faults, FAULTS)
        yield faults


@pytest.mark.parametrize("name", FAULTS)
def test_trial_fault(name: str, faults: FaultNamespace) -> None:
    faults.expect_reason(name, FAULTS[name].reason)
