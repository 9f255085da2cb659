"""`housectl run` after kills, and several runs at the same time."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from housectl.errors import ExitStatus
from tests.pipeline.projects import TRIALS, Deployment, actions, new_deployment, steps
from tests.spaces import GOOD
from tests.strace import inject_fault
from tests.verification.impostor import Reply, Request, Upstream, adding_one, impostor
from tools.project_directory import clean_environment

pytestmark = pytest.mark.slow

# A rename or a link makes each file and directory visible.
CALLS = "rename,renameat,renameat2,link,linkat"
TIMEOUT_SECONDS = 120.0


def start(deployment: Deployment, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [deployment.project.housectl, *deployment.options, *options],
        cwd=deployment.project.path,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def kill_supervisor(run: str) -> None:
    """Kill the supervisor of a run, as the end of the machine would."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = path.read_bytes().decode().split("\0")
        except OSError:
            continue
        if any(argument.endswith(f"/{run}") for argument in arguments):
            os.kill(int(path.parent.name), signal.SIGKILL)


def visible_files(deployment: Deployment) -> set[str]:
    return {str(path) for path in deployment.project.path.rglob("*") if ".tmp-" not in str(path)}


def has_one_of_each(deployment: Deployment) -> bool:
    """Return True if one search, one sealing and one promotion have happened."""
    counts = (deployment.trials, deployment.challengers, deployment.history_length)
    return counts == (TRIALS, 1, 1) and len(deployment.runs) == 1


@pytest.mark.strace
def test_run_continues_after_kill_at_each_change(tmp_path: Path) -> None:
    deployment = new_deployment(tmp_path / "boston")
    allowed, kills, before = 2, 0, visible_files(deployment)
    with deployment.serve():
        while True:
            fault = inject_fault(CALLS, f"signal=KILL:when={allowed}", follow_children=False)
            output = deployment.run(wrapper=fault)
            if output.status != -signal.SIGKILL:
                break
            kills += 1
            after = visible_files(deployment)
            allowed, before = (2 if after != before else allowed + 1), after
        last = deployment.run()
    assert output.status == ExitStatus.OK, output.err
    assert kills >= 12
    assert has_one_of_each(deployment), deployment.runs
    assert (last.status, actions(last)) == (ExitStatus.OK, ["skipped"] * 4)


@pytest.mark.parametrize("machine", [False, True], ids=["interrupt", "machine"])
def test_search_is_resumed(tmp_path: Path, *, machine: bool) -> None:
    deployment = new_deployment(tmp_path / "boston")
    process = start(deployment, "--to", "promote")
    wait_for(lambda: deployment.trials)
    (search,) = deployment.runs
    if machine:
        kill(process)
        kill_supervisor(search)
    else:
        process.send_signal(signal.SIGINT)
        assert "Reattach: housectl run" in process.communicate()[1]
        assert process.returncode == ExitStatus.INTERRUPTED
    output = deployment.run("--to", "promote")
    assert output.status == ExitStatus.OK, output.err
    assert steps(output)[0]["reason"] == f"the search {search} is unfinished"
    assert output.json["experiment"] == search
    assert has_one_of_each(deployment)


def test_sealing_is_resumed(tmp_path: Path) -> None:
    deployment = new_deployment(tmp_path / "boston")
    process = start(deployment, "--to", "promote")
    wait_for(lambda: any("-seal-" in name for name in deployment.runs))
    kill(process)
    output = deployment.run("--to", "promote")
    assert output.status == ExitStatus.OK, output.err
    assert has_one_of_each(deployment)


def test_changed_settings_start_another_search(tmp_path: Path) -> None:
    deployment = new_deployment(tmp_path / "boston")
    process = start(deployment)
    wait_for(lambda: deployment.runs)
    kill(process)
    (search,) = deployment.runs
    deployment.project.edit_config(seed=7)
    output = deployment.run("--to", "tune")
    assert output.status == ExitStatus.OK, output.err
    reason = f"the unfinished search {search} has other inputs: seed changed: 42 → 7"
    assert steps(output)[0]["reason"] == reason
    assert output.json["experiment"] != search


def test_runs_at_the_same_time_share_one_search(tmp_path: Path) -> None:
    deployment = new_deployment(tmp_path / "boston")
    processes = [start(deployment, "--to", "promote") for _ in range(2)]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert deployment.trials == TRIALS
    assert (deployment.history_length, len(deployment.runs)) == (1, 1)


def test_machines_at_the_same_time_promote_once(tmp_path: Path) -> None:
    deployments = [new_deployment(tmp_path / name) for name in ("one", "two")]
    shared = deployments[0].project.store
    options = ("--to", "promote", "--store", str(shared))
    processes = [start(deployment, *options) for deployment in deployments]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert deployments[0].history_length == 1
    for deployment in deployments:
        assert actions(deployment.run(*options)) == ["skipped", "skipped"]


def test_verification_is_repeated_after_a_kill(deployment: Deployment) -> None:
    processes: list[subprocess.Popen[str]] = []

    def answer(request: Request) -> Reply:
        if request.is_prediction and processes:
            processes.pop().kill()
        return upstream(request)

    with deployment.serve() as url, impostor(answer) as proxy:
        upstream = Upstream(url)
        process = start(deployment, "--url", proxy)
        processes.append(process)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        output = deployment.run("--url", proxy)
    assert output.status == ExitStatus.OK, output.err
    assert actions(output) == ["skipped", "skipped", "skipped", "done"]
    assert deployment.history_length == 1


@pytest.mark.strace
def test_rolled_back_challenger_is_not_promoted_again(deployment: Deployment) -> None:
    good = deployment.champion
    deployment.project.edit_config(space=GOOD)
    with deployment.serve() as url:
        assert deployment.run("--to", "wait").status == ExitStatus.OK
        wrong = deployment.champion
        with impostor(adding_one(Upstream(url), wrong)) as proxy:
            options = ("--url", proxy, "--rollback-on-failure")
            # The first link records the failed verification, the second one rolls back.
            kill_at_rollback = inject_fault("link,linkat", "signal=KILL:when=2")
            killed = deployment.run(*options, wrapper=kill_at_rollback)
            assert killed.status == -signal.SIGKILL
            assert (deployment.champion, deployment.history_length) == (wrong, 2)

            rolled_back = deployment.run(*options)
            assert rolled_back.status == ExitStatus.VERIFICATION_FAILED, rolled_back.err
            assert "rolled back to" in steps(rolled_back)[3]["outcome"]
            assert rolled_back.json["champion"] == deployment.champion == good

            kept = deployment.run(*options)
            assert kept.status == ExitStatus.CHAMPION_KEPT, kept.err
            assert actions(kept) == ["skipped", "done", "done", "done"]
            assert "failed a verification" in steps(kept)[1]["outcome"]

            last = deployment.run(*options)
            assert (last.status, actions(last)) == (ExitStatus.OK, ["skipped"] * 4)
    assert deployment.history_length == 3
