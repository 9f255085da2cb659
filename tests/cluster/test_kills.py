"""Whatever is killed in the middle of a search: nothing is lost, and no trial is doubled."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from housectl.errors import ExitStatus
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
PATIENCE_SECONDS = 300.0


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
    return shown(project.run_ok("show", name, "--json"))


def shown(answer: CommandOutput) -> list[dict[str, Any]]:
    found = answer.json["trials"]
    assert isinstance(found, list)
    return found


def wait_for_first(project: ProjectDirectory, name: str, process: "subprocess.Popen[str]") -> None:
    """Wait until a trial of the search that a process waits for has succeeded."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not has_succeeded(project, name):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, project.run_ok("status", name)
        time.sleep(0.5)


def has_succeeded(project: ProjectDirectory, name: str) -> bool:
    """Return whether a trial has; until the search is sent, nobody knows its name."""
    answer = project.run("show", name, "--json")
    if answer.status == ExitStatus.USAGE:
        return False
    assert answer.status == ExitStatus.OK, answer
    return any(trial["state"] == "succeeded" for trial in shown(answer))


def check_whole(project: ProjectDirectory, name: str, namespace: str) -> None:
    """Check that every trial of the budget is there once, with one job and one pod."""
    found = trials(project, name)
    assert [trial["state"] for trial in found] == ["succeeded"] * TRIALS
    names = [trial["trial"] for trial in found]
    assert len(set(names)) == TRIALS
    for kind in ("jobs", "pods"):
        listed = kubectl(
            *("get", kind, f"--namespace={namespace}", "--output=json"),
            # The pod of the algorithm's service may still be going.
            f"--selector=app.kubernetes.io/instance={name},!katib.kubeflow.org/suggestion",
        )
        assert len(json.loads(listed)["items"]) == TRIALS


def test_ctrl_c_leaves_the_search_running(project: ProjectDirectory, namespace: str) -> None:
    process = start(project, "left")
    wait_for_first(project, "left", process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == ExitStatus.INTERRUPTED
    assert "To come back: housectl tune --resume left" in said
    assert "To end it: housectl stop left" in said
    project.run_ok("tune", "--resume", "left")
    check_whole(project, "left", namespace)


def test_a_killed_command_is_come_back_to(project: ProjectDirectory, namespace: str) -> None:
    process = start(project, "killed")
    wait_for_first(project, "killed", process)
    process.kill()
    process.communicate()
    project.run_ok("tune", "--resume", "killed")
    check_whole(project, "killed", namespace)
    project.run_ok("promote", "killed")


@pytest.mark.alone
@pytest.mark.parametrize("component", ["kube-apiserver", "kubelet"])
def test_a_search_outlives_a_part_of_kubernetes(
    project: ProjectDirectory, namespace: str, component: str
) -> None:
    name = f"without-{component.removeprefix('kube-')}"
    process = start(project, name)
    wait_for_first(project, name, process)
    kill_and_restart(component)
    out, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, said
    assert json.loads(out)["experiment"] == name
    check_whole(project, name, namespace)


def test_a_time_budget_is_kept_by_whoever_waits(project: ProjectDirectory, namespace: str) -> None:
    answer = project.run_ok("tune", "--name", "timed", "--trials", "1000", "--time", "90s")
    assert answer.out
    status = project.run_ok("status", "timed", "--json").json
    assert status["state"] == "succeeded"
    assert str(status["reason"]).startswith("Time limit reached after ")
    running = kubectl("get", "trials.kubeflow.org", f"--namespace={namespace}", "--output=json")
    conditions = [
        condition["type"]
        for each in json.loads(running)["items"]
        if each["metadata"]["name"].startswith("timed-")
        for condition in each["status"]["conditions"]
        if condition["status"] == "True"
    ]
    assert "Running" not in conditions
