"""Killed commands and components during a search: no trial is lost or duplicated."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import housectl
from housectl.errors import ExitStatus, UnknownExperimentError
from housectl.experiment import TrialState
from tests.cluster.backend import SMALL_PODS
from tests.cluster.components import kill_and_restart
from tests.spaces import GOOD
from tools.dev_cluster.kubectl import kubectl
from tools.project_directory import (
    HOUSECTL,
    CommandOutput,
    ProjectDirectory,
    clean_environment,
    example,
)

TRIALS = 4
TIMEOUT_SECONDS = 300.0


@pytest.fixture
def project(namespace: str, tmp_path: Path) -> ProjectDirectory:
    return example(
        ".",
        tmp_path / "boston",
        backend="katib",
        katib={"namespace": namespace, **SMALL_PODS},
        space=GOOD,
        budget={"trials": TRIALS},
    )


def start(project: ProjectDirectory, name: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [HOUSECTL, "tune", "--name", name, "--json"],
        cwd=project.path,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def trials(project: ProjectDirectory, name: str) -> list[dict[str, Any]]:
    return trials_in(project.run_ok("show", name, "--json"))


def trials_in(output: CommandOutput) -> list[dict[str, Any]]:
    trials = output.json["trials"]
    assert isinstance(trials, list)
    return trials


def wait_for_first_trial(
    project: ProjectDirectory, name: str, process: "subprocess.Popen[str]"
) -> None:
    """Wait until the first trial has succeeded, while a process waits for the search."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    opened = housectl.open(project.path)
    while not has_succeeded(opened, name):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, project.run_ok("status", name)
        time.sleep(0.5)


def has_succeeded(project: housectl.Project, name: str) -> bool:
    """Return True if a trial has succeeded; before the submission, the name is unknown."""
    try:
        snapshot = project.experiment(name).observe()
    except UnknownExperimentError:
        return False
    return any(trial.state is TrialState.SUCCEEDED for trial in snapshot.trials)


def check_all_trials(project: ProjectDirectory, name: str, namespace: str) -> None:
    """Check that every trial of the budget exists once, with one job and one pod."""
    listed_trials = trials(project, name)
    assert [trial["state"] for trial in listed_trials] == ["succeeded"] * TRIALS
    names = [trial["trial"] for trial in listed_trials]
    assert len(set(names)) == TRIALS
    for kind in ("jobs", "pods"):
        listed = kubectl(
            *("get", kind, f"--namespace={namespace}", "--output=json"),
            # The pod of the algorithm's service may still be running.
            f"--selector=app.kubernetes.io/instance={name},!katib.kubeflow.org/suggestion",
        )
        assert len(json.loads(listed)["items"]) == TRIALS


def test_ctrl_c_leaves_the_search_running(project: ProjectDirectory, namespace: str) -> None:
    process = start(project, "left")
    wait_for_first_trial(project, "left", process)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == ExitStatus.INTERRUPTED
    assert "Reattach: housectl tune --resume left" in stderr
    assert "Stop: housectl stop left" in stderr
    project.run_ok("tune", "--resume", "left")
    check_all_trials(project, "left", namespace)


def test_killed_command_can_be_resumed(project: ProjectDirectory, namespace: str) -> None:
    process = start(project, "killed")
    wait_for_first_trial(project, "killed", process)
    process.kill()
    process.communicate()
    project.run_ok("tune", "--resume", "killed")
    check_all_trials(project, "killed", namespace)
    project.run_ok("promote", "killed")


@pytest.mark.alone
@pytest.mark.parametrize("component", ["kube-apiserver", "kubelet"])
def test_search_survives_restart_of_component(
    project: ProjectDirectory, namespace: str, component: str
) -> None:
    name = f"without-{component.removeprefix('kube-')}"
    process = start(project, name)
    wait_for_first_trial(project, name, process)
    kill_and_restart(component)
    stdout, stderr = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 0, stderr
    assert json.loads(stdout)["experiment"] == name
    check_all_trials(project, name, namespace)


def test_waiting_command_enforces_time_limit(project: ProjectDirectory, namespace: str) -> None:
    output = project.run_ok("tune", "--name", "timed", "--trials", "1000", "--time", "45s")
    assert output.out
    status = project.run_ok("status", "timed", "--json").json
    assert status["state"] == "succeeded"
    assert str(status["reason"]).startswith("Time limit reached after ")
    listed = kubectl("get", "trials.kubeflow.org", f"--namespace={namespace}", "--output=json")
    conditions = [
        condition["type"]
        for trial in json.loads(listed)["items"]
        if trial["metadata"]["name"].startswith("timed-")
        for condition in trial["status"]["conditions"]
        if condition["status"] == "True"
    ]
    assert "Running" not in conditions
