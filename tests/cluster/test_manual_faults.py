"""Manual changes to experiments: their causes and hints in `housectl status` and `tune`."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from housectl.experiment import ExperimentState
from tests.cluster.fault_injection import (
    PVC,
    TIMEOUT_SECONDS,
    WAIT_FOR_COLLECTOR,
    Changes,
    FaultNamespace,
    new_fault_namespace,
    shell_training,
    start_all,
)
from tests.cluster.katib_faults import label_removed
from tests.cluster.listing import listed_states
from tests.cluster.pods import run_pod
from tools.dev_cluster.images import TRAINER_IMAGE
from tools.dev_cluster.kubectl import kubectl, kubectl_environment
from tools.project_directory import HOUSECTL, clean_environment

LABEL = "katib.kubeflow.org/metrics-collector-injection"
MOUNT = "/mnt/models"


@dataclass(frozen=True, kw_only=True)
class StartedExperiment:
    """Changes of an Experiment before it is started."""

    changes: Changes
    options: Sequence[str] = ()


def first_trial_nan(name: str) -> Changes:
    """Return changes with which the first trial prints nan, and each other one 0.5."""
    first = f"mkdir {MOUNT}/{name} 2>/dev/null"
    return shell_training(f"{first} && echo mse=nan || echo mse=0.5; {WAIT_FOR_COLLECTOR}")


EXPERIMENTS: Mapping[str, StartedExperiment] = {
    "pod-deleted": StartedExperiment(changes=shell_training("sleep 600")),
    "trial-deleted": StartedExperiment(changes=shell_training("sleep 600")),
    "sidecar-killed": StartedExperiment(changes=shell_training("sleep 600")),
    "best": StartedExperiment(
        changes={
            **first_trial_nan("best"),
            "spec.metricsCollectorSpec.source": None,
        },
        options=("--trials", "2", "--workers", "2", "--max-failed", "2"),
    ),
    "hung": StartedExperiment(
        changes={**first_trial_nan("hung"), "spec.metricsCollectorSpec.source": None},
        options=("--algorithm", "random", "--trials", "9", "--workers", "2", "--max-failed", "9"),
    ),
}
DAMAGED_INPUTS = {
    "missing": (
        ("--seed", "7"),
        "[Errno 2] No such file or directory: '{path}/recipe.json'.",
    ),
    "damaged": (("--seed", "8"), "JSON is malformed: invalid character (byte 0)."),
}


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultNamespace]:
    """A namespace in which all experiments run."""
    with new_fault_namespace(tmp_path_factory.mktemp("by-hand")) as faults:
        start_all(faults, EXPERIMENTS)
        for name in DAMAGED_INPUTS:
            start_with_damaged_inputs(faults, name)
        yield faults


def first_pod(faults: FaultNamespace, name: str) -> str:
    """Wait until a trial has a pod, and return the pod's name."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (pod := faults.fill_names(name, "{pod}")):
        assert time.monotonic() < deadline, faults.status(name)
        time.sleep(0.7)
    return pod


def running_pod(faults: FaultNamespace, name: str) -> str:
    """Wait until the pod of a long trial is ready, and return the pod's name."""
    pod = first_pod(faults, name)
    faults.kubectl("wait", f"pod/{pod}", "--for=condition=Ready", "--timeout=120s")
    return pod


def test_pod_deleted(faults: FaultNamespace) -> None:
    pod = running_pod(faults, "pod-deleted")
    faults.kubectl("delete", "pod", pod, "--wait=false", "--grace-period=1")
    faults.expect_reason(
        "pod-deleted",
        "1 of 1 trials failed: its pod was deleted. Hint: kubectl get events --field-selector "
        f"involvedObject.name={pod} -n {{namespace}}",
    )


def test_collector_killed_during_training(faults: FaultNamespace) -> None:
    # The name has no "collector" in it: the trainer's command line contains the name.
    pod = running_pod(faults, "sidecar-killed")
    collector = "metrics-logger-and-collector"
    kill = "for p in /proc/[0-9]*; do grep -q [c]ollector $p/cmdline && kill -9 ${p#/proc/}; done"
    where = (f"--namespace={faults.namespace}", f"--container={collector}")
    # The kill may end its own shell, because the container ends with the collector.
    with suppress(subprocess.CalledProcessError):
        kubectl("exec", pod, *where, "--", "sh", "-c", kill)
    faults.expect_reason(
        "sidecar-killed",
        "The running trial is stuck: the training is still running, but Katib's metrics collector "
        f"failed: exited 137. Hint: kubectl logs {pod} -c {collector} -n {{namespace}}",
    )


def test_trial_deleted(faults: FaultNamespace) -> None:
    trial = running_pod(faults, "trial-deleted").rpartition("-")[0]
    faults.kubectl("delete", "trial", trial)
    faults.expect_reason(
        "trial-deleted",
        f"Katib waits for the trial {trial}, which was deleted. Hint: housectl stop "
        "trial-deleted   # finished trials stay usable",
    )
    faults.project.run_ok("stop", "trial-deleted")


def test_experiment_deleted_during_tune(faults: FaultNamespace) -> None:
    process = subprocess.Popen(
        [HOUSECTL, "tune", "--name", "forgotten", "--trials", "50"],
        cwd=faults.project.path,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    first_pod(faults, "forgotten")
    faults.kubectl("delete", "experiment", "forgotten")
    _, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == ExitStatus.USAGE, err
    assert "Traceback" not in err
    assert (
        "error: Experiment forgotten was deleted, but not completely.\n"
        "hint:  housectl delete forgotten\nmore:  housectl explain unknown-experiment   # https://"
    ) in err
    assert listed_states(faults.project)["forgotten"] == "deleted"
    faults.project.run_ok("delete", "forgotten")
    assert "forgotten" not in listed_states(faults.project)


def test_katib_reports_nan_trial_as_optimum(faults: FaultNamespace) -> None:
    faults.wait_until("best", lambda snapshot: snapshot.state is ExperimentState.SUCCEEDED)
    status = faults.status("best")
    (nan_trial,) = status["failed"]
    listed = faults.kubectl("get", "trials", "--selector=app.kubernetes.io/instance=best")
    (good,) = {line.split()[0] for line in listed.splitlines()[1:]} - {nan_trial}
    assert status["warnings"] == [
        (
            f"Katib reports {nan_trial} as the best trial of best, but {good} has the lowest mse. "
            f"housectl uses {good}."
        )
    ]
    assert status["failed"] == {
        nan_trial: 'the training printed "mse=nan", which is not a finite number. Hint: housectl '
        f"logs best --trial {nan_trial}"
    }


def test_search_whose_algorithm_cannot_continue_is_stopped(faults: FaultNamespace) -> None:
    faults.expect_reason(
        "hung",
        "A trial reported no finite number, and the algorithm random cannot continue. Hint: "
        "housectl stop hung   # finished trials stay usable; housectl show hung names the trial",
    )
    stopped = faults.project.run_ok("stop", "hung", "--json").json
    assert (stopped["state"], stopped["trials"], stopped["mse"]) == ("stopped", 1, 0.5)
    condition = "--output=jsonpath={.status.conditions[-1:].type}"
    assert faults.kubectl("get", "experiment", "hung", condition) == "Failed"


def test_namespace_loses_katib_label(tmp_path: Path) -> None:
    with new_fault_namespace(tmp_path) as faults:
        long_training = shell_training(f"echo mse=1; {WAIT_FOR_COLLECTOR}")
        faults.start("no-label", long_training, "--trials", "2")
        first_pod(faults, "no-label")
        with label_removed(faults.namespace):
            faults.expect_reason(
                "no-label",
                "The running trial is stuck: Katib cannot get its metric: its pod was created "
                "without Katib's metrics collector. Hint: kubectl label namespace {namespace} "
                f"{LABEL}=enabled --overwrite   # then housectl delete no-label, and tune again; "
                "if the label was already set, the webhook was unavailable: housectl doctor",
            )
            show = ("logs", "no-label", "--trial", "1")
            faults.wait_until("no-label", lambda _: "mse=1" in faults.project.run_ok(*show).out)
            stop = faults.run("stop", "no-label", "--json")
            assert stop.status == ExitStatus.CLUSTER
            assert f"{LABEL}=enabled" in stop.json["error"]["hint"]  # type: ignore[index]


@pytest.mark.parametrize("name", DAMAGED_INPUTS)
def test_damaged_inputs_are_uploaded_again(name: str, faults: FaultNamespace) -> None:
    seed, what = DAMAGED_INPUTS[name]
    digest = faults.inputs(*seed).digest
    hint = f"kubectl annotate pvc {PVC} housectl/inputs-{digest[:40]}- -n {faults.namespace}"
    faults.expect_reason(
        name,
        f"1 of 1 trials failed: the inputs on the PVC {PVC} are damaged or missing: "
        f"{what.format(path=f'{MOUNT}/inputs/{digest}')} Hint: {hint}   # then housectl tune "
        "uploads them again",
    )
    subprocess.run(hint, shell=True, env=os.environ | kubectl_environment(), check=True)
    faults.upload(*seed)
    faults.start(f"{name}-again", {}, *seed)
    faults.wait_until(f"{name}-again", lambda snapshot: snapshot.state is ExperimentState.SUCCEEDED)


def start_with_damaged_inputs(faults: FaultNamespace, name: str) -> None:
    """Start an experiment whose inputs the PVC is annotated with, but lacks or has damaged."""
    seed, _ = DAMAGED_INPUTS[name]
    digest = faults.inputs(*seed).digest
    annotation = f"housectl/inputs-{digest[:40]}=uploaded"
    faults.kubectl("annotate", "pvc", PVC, annotation)
    if name == "damaged":
        directory = f"{MOUNT}/inputs/{digest}"
        run_pod(
            faults.namespace,
            TRAINER_IMAGE,
            ["sh", "-c", f"mkdir -p {directory} && echo damaged > {directory}/recipe.json"],
            mounts={MOUNT: {"persistentVolumeClaim": {"claimName": PVC}}},
        )
    faults.start(name, {}, *seed)
