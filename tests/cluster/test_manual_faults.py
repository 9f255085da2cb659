"""What people do to experiments by hand, and what `housectl status` and `tune` say of it."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tests.cluster.fault_injection import (
    CLAIM,
    PATIENCE_SECONDS,
    WHILE_COLLECTOR_LOOKS,
    Changes,
    Drills,
    begin_all,
    drilling,
    training,
)
from tests.cluster.pods import run_pod
from tools.dev_cluster.images import TRAINER_IMAGE
from tools.dev_cluster.kubectl import kubectl, kubectl_environment
from tools.project_directory import HOUSECTL, clean_environment

pytestmark = pytest.mark.alone

LABEL = "katib.kubeflow.org/metrics-collector-injection"
MOUNT = "/mnt/models"


@dataclass(frozen=True, kw_only=True)
class Started:
    """What is changed in an Experiment before something is done to it."""

    changes: Changes
    options: Sequence[str] = ()


def once_nan(name: str) -> Changes:
    """Return what lets the first trial print no number, and each other one a half."""
    first = f"mkdir {MOUNT}/{name} 2>/dev/null"
    return training(f"{first} && echo mse=nan || echo mse=0.5; {WHILE_COLLECTOR_LOOKS}")


STARTED: Mapping[str, Started] = {
    "podless": Started(changes=training("sleep 600")),
    "trialless": Started(changes=training("sleep 600")),
    "unheard": Started(changes=training("sleep 600")),
    "best": Started(
        changes={
            **once_nan("best"),
            "spec.metricsCollectorSpec.source": None,
        },
        options=("--trials", "2", "--workers", "2", "--max-failed", "2"),
    ),
    "hung": Started(
        changes={**once_nan("hung"), "spec.metricsCollectorSpec.source": None},
        options=("--algorithm", "random", "--trials", "9", "--workers", "2", "--max-failed", "9"),
    ),
}
LOST = {
    "gone": (
        ("--seed", "7"),
        "[Errno 2] No such file or directory: '{path}/recipe.json'.",
    ),
    "damaged": (("--seed", "8"), "JSON is malformed: invalid character (byte 0)."),
}


@pytest.fixture(scope="module")
def drills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drills]:
    """A namespace in which all has been begun at once."""
    with drilling(tmp_path_factory.mktemp("by-hand")) as drills:
        begin_all(drills, STARTED)
        for name in LOST:
            lose(drills, name)
        yield drills


def first_pod(drills: Drills, name: str) -> str:
    """Wait until a trial has a pod, which may be over soon, and return its name."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (pod := drills.named(name, "{pod}")):
        assert time.monotonic() < deadline, drills.status(name)
        time.sleep(0.3)
    return pod


def running_pod(drills: Drills, name: str) -> str:
    """Wait until the pod of a trial that lasts runs, and return its name."""
    pod = first_pod(drills, name)
    drills.kubectl("wait", f"pod/{pod}", "--for=condition=Ready", "--timeout=120s")
    return pod


def test_a_pod_that_was_deleted(drills: Drills) -> None:
    pod = running_pod(drills, "podless")
    drills.kubectl("delete", "pod", pod, "--wait=false", "--grace-period=1")
    drills.expect(
        "podless",
        "1 of 1 trials failed: its pod was deleted. Hint: kubectl get events --field-selector "
        f"involvedObject.name={pod} -n {{namespace}}",
    )


def test_a_collector_that_dies_while_the_training_runs(drills: Drills) -> None:
    pod = running_pod(drills, "unheard")
    collector = "metrics-logger-and-collector"
    kill = "for p in /proc/[0-9]*; do grep -q [c]ollector $p/cmdline && kill -9 ${p#/proc/}; done"
    where = (f"--namespace={drills.namespace}", f"--container={collector}")
    kubectl("exec", pod, *where, "--", "sh", "-c", f"{kill}; true")
    drills.expect(
        "unheard",
        "The running trial is stuck: the training runs on, but Katib's metrics collector failed: "
        f"exited 137. Hint: kubectl logs {pod} -c {collector} -n {{namespace}}",
    )


def test_a_trial_that_was_deleted(drills: Drills) -> None:
    trial = running_pod(drills, "trialless").rpartition("-")[0]
    drills.kubectl("delete", "trial", trial)
    drills.expect(
        "trialless",
        f"Katib waits for the trial {trial}, which was deleted. Hint: housectl stop trialless   "
        "# what has ended well stays usable",
    )
    drills.project.run_ok("stop", "trialless")


def test_an_experiment_that_is_deleted_while_somebody_waits(drills: Drills) -> None:
    process = subprocess.Popen(
        [HOUSECTL, "tune", "--name", "forgotten", "--trials", "50"],
        cwd=drills.project.path,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    first_pod(drills, "forgotten")
    drills.kubectl("delete", "experiment", "forgotten")
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == ExitStatus.USAGE, said
    assert "Traceback" not in said
    assert said.endswith(
        "error: Experiment forgotten does not exist.\nhint:  housectl list   # lists all\n"
        "more:  docs/errors.md#unknown-experiment\n"
    )


def test_a_trial_without_a_number_that_katib_takes_for_the_best(drills: Drills) -> None:
    status = drills.when("best", lambda status: status["state"] == "succeeded")
    (useless,) = status["failed"]
    listed = drills.kubectl("get", "trials", "--selector=app.kubernetes.io/instance=best")
    (good,) = {line.split()[0] for line in listed.splitlines()[1:]} - {useless}
    assert status["warnings"] == [
        f"Katib takes {useless} for the best trial of best; {good} has the lowest mse, and is used."
    ]
    assert status["failed"] == {
        useless: 'the training printed "mse=nan", which is no finite number. Hint: housectl logs '
        f"best --trial {useless}"
    }


def test_a_search_that_katib_cannot_end_is_stopped_all_the_same(drills: Drills) -> None:
    drills.expect(
        "hung",
        "A trial gave no finite number, and the algorithm random cannot go on after that. Hint: "
        "housectl stop hung   # what has ended well stays usable; housectl show hung says which "
        "trial it was",
    )
    stopped = drills.project.run_ok("stop", "hung", "--json").json
    assert (stopped["state"], stopped["mse"]) == ("stopped", 0.5)
    still_open, _ = drills.status("hung")["warnings"]
    assert still_open == (
        "Katib has not ended hung, as its algorithm gives no trial that could fail; the "
        "algorithm's service runs on until: housectl delete hung"
    )


def test_a_namespace_that_loses_katibs_label(tmp_path: Path) -> None:
    with drilling(tmp_path) as drills:
        lasting = training(f"echo mse=1; {WHILE_COLLECTOR_LOOKS}")
        drills.start("unlabelled", lasting, "--trials", "2")
        first_pod(drills, "unlabelled")
        kubectl("label", "namespace", drills.namespace, f"{LABEL}-")
        drills.expect(
            "unlabelled",
            "The running trial is stuck: Katib will never get its metric, because its pod was made "
            "without Katib's metrics collector. Hint: kubectl label namespace {namespace} "
            f"{LABEL}=enabled --overwrite   # then housectl delete unlabelled, and tune again; if "
            "it had this label, Katib's webhook was away: housectl doctor",
        )
        show = ("logs", "unlabelled", "--trial", "1")
        drills.when("unlabelled", lambda _: "mse=1" in drills.project.run_ok(*show).out)


@pytest.mark.parametrize("name", LOST)
def test_inputs_that_are_lost_are_brought_again(name: str, drills: Drills) -> None:
    seed, what = LOST[name]
    digest = drills.inputs(*seed).digest
    hint = f"kubectl annotate pvc {CLAIM} housectl/inputs-{digest[:40]}- -n {drills.namespace}"
    drills.expect(
        name,
        f"1 of 1 trials failed: the inputs on the claim {CLAIM} are damaged or gone: "
        f"{what.format(path=f'{MOUNT}/inputs/{digest}')} Hint: {hint}   # then housectl tune "
        "brings them again",
    )
    subprocess.run(hint, shell=True, env=os.environ | kubectl_environment(), check=True)
    drills.upload(*seed)
    drills.start(f"{name}-again", {}, *seed)
    drills.when(f"{name}-again", lambda status: status["state"] == "succeeded")


def lose(drills: Drills, name: str) -> None:
    """Let the claim have a mark of inputs that it does not have, or not whole."""
    seed, _ = LOST[name]
    digest = drills.inputs(*seed).digest
    mark = f"housectl/inputs-{digest[:40]}=uploaded"
    drills.kubectl("annotate", "pvc", CLAIM, mark)
    if name == "damaged":
        directory = f"{MOUNT}/inputs/{digest}"
        run_pod(
            drills.namespace,
            TRAINER_IMAGE,
            ["sh", "-c", f"mkdir -p {directory} && echo damaged > {directory}/recipe.json"],
            mounts={MOUNT: {"persistentVolumeClaim": {"claimName": CLAIM}}},
        )
    drills.start(name, {}, *seed)
