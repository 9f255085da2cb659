"""What people do to experiments by hand, and what `housectl status` and `tune` say of it."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tests.cluster.drills import PATIENCE_SECONDS, Drills, drilling, training
from tests.cluster.nodes import TRAINER, kubectl, run_pod, with_kubectl
from tests.projects import HOUSECTL, clean_environment

LABEL = "katib.kubeflow.org/metrics-collector-injection"
CLAIM = "model-storage"


@pytest.fixture(scope="module")
def drills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drills]:
    with drilling(tmp_path_factory.mktemp("by-hand")) as drills:
        yield drills


def running_pod(drills: Drills, name: str) -> str:
    """Wait until a trial's pod runs, and return its name."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (pod := drills.named(name, "{pod}")):
        assert time.monotonic() < deadline, drills.status(name)
        time.sleep(0.3)
    drills.kubectl("wait", f"pod/{pod}", "--for=condition=Ready", "--timeout=120s")
    return pod


def test_a_pod_that_was_deleted(drills: Drills) -> None:
    drills.start("podless", training("sleep 600"))
    pod = running_pod(drills, "podless")
    drills.kubectl("delete", "pod", pod, "--wait=false", "--grace-period=1")
    drills.expect(
        "podless",
        "1 of 1 trials failed: its pod was deleted. Cure: kubectl get events --field-selector "
        f"involvedObject.name={pod} -n {{namespace}}",
    )


def test_a_trial_that_was_deleted(drills: Drills) -> None:
    drills.start("trialless", training("sleep 600"))
    trial = running_pod(drills, "trialless").rpartition("-")[0]
    drills.kubectl("delete", "trial", trial)
    drills.expect(
        "trialless",
        f"Katib waits for the trial {trial}, which was deleted. Cure: housectl stop trialless   "
        "# what has ended well stays usable",
    )
    drills.project.must("stop", "trialless")


def test_an_experiment_that_is_deleted_while_somebody_waits(drills: Drills) -> None:
    process = subprocess.Popen(
        [HOUSECTL, "tune", "--name", "forgotten", "--trials", "50"],
        cwd=drills.project.path,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    running_pod(drills, "forgotten")
    drills.kubectl("delete", "experiment", "forgotten")
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == ExitStatus.USAGE, said
    assert "Traceback" not in said
    assert said.endswith(
        "error: There is no experiment forgotten.\ncure:  housectl list   # lists them\n"
        "more:  docs/errors.md#unknown-experiment\n"
    )


def test_a_trial_without_a_number_that_katib_takes_for_the_best(drills: Drills) -> None:
    first = "mkdir /mnt/models/best 2>/dev/null"
    drills.start(
        "best",
        {
            **training(f"{first} && echo mse=nan || echo mse=0.5; sleep 5"),
            "spec.metricsCollectorSpec.source": None,
        },
        *("--trials", "2", "--workers", "2", "--max-failed", "2"),
    )
    status = drills.when("best", lambda status: status["state"] == "succeeded")
    (useless,) = status["failed"]
    listed = drills.kubectl("get", "trials", "--selector=app.kubernetes.io/instance=best")
    (good,) = {line.split()[0] for line in listed.splitlines()[1:]} - {useless}
    assert status["warnings"] == [
        f"Katib takes {useless} for the best trial of best; {good} has the lowest mse, and is used."
    ]
    assert status["failed"] == {
        useless: 'the training printed "mse=nan", which is no finite number. Cure: housectl logs '
        f"best --trial {useless}"
    }


def test_a_namespace_that_loses_katibs_label(tmp_path: Path) -> None:
    with drilling(tmp_path) as drills:
        drills.start("unlabelled", training("echo mse=1; sleep 5"), "--trials", "2")
        running_pod(drills, "unlabelled")
        kubectl("label", "namespace", drills.namespace, f"{LABEL}-")
        drills.expect(
            "unlabelled",
            "The running trial is stuck: the training has ended, but Katib waits for its metric "
            "for ever: its pod was made without Katib's metrics collector. Cure: kubectl label "
            f"namespace {{namespace}} {LABEL}=enabled --overwrite   # then housectl delete "
            "unlabelled, and tune again; if it had this label, Katib's webhook was away: housectl "
            "doctor",
        )
        assert "mse=1" in drills.project.must("logs", "unlabelled", "--trial", "1").out


def test_inputs_that_are_gone_or_damaged_are_brought_again(drills: Drills) -> None:
    seed = ("--seed", "7")
    annotations = json.loads(drills.project.must("render", *seed, "--json").out)["document"]
    digest = annotations.partition('"inputs":"')[2].partition('"')[0]
    mark = f"housectl/inputs-{digest[:40]}"
    cure = f"kubectl annotate pvc {CLAIM} {mark}- -n {drills.namespace}"

    def lose(name: str, what: str) -> None:
        drills.kubectl("annotate", "pvc", CLAIM, f"{mark}=uploaded", "--overwrite")
        drills.start(name, {}, *seed)
        drills.expect(
            name,
            f"1 of 1 trials failed: the inputs on the claim {CLAIM} are damaged or gone: {what} "
            f"Cure: {cure}   # then housectl tune brings them again",
        )

    path = f"/mnt/models/inputs/{digest}"
    lose("gone", f"[Errno 2] No such file or directory: '{path}/recipe.json'.")
    damage = f"mkdir -p {path} && echo damaged > {path}/recipe.json"
    run_pod(
        drills.namespace,
        TRAINER,
        ["sh", "-c", damage],
        mounts={"/mnt/models": {"persistentVolumeClaim": {"claimName": CLAIM}}},
    )
    lose("damaged", "JSON is malformed: invalid character (byte 0).")
    subprocess.run(cure, shell=True, env=os.environ | with_kubectl(), check=True)
    drills.project.must("tune", "--name", "brought", *seed)
