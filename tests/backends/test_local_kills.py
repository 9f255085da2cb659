"""The supervisor is killed at each of its system calls that change files, in turn."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from housectl.backends.base import Handle, Snapshot
from housectl.backends.local.backend import LocalBackend
from housectl.backends.local.run import Run, create_run
from housectl.contract.inputs import Inputs
from housectl.experiment import Budget, Experiment, ExperimentState, SearchSpace, TrialState
from tests.backends.work import SMALL_FOREST, experiment, findings, submit, wait_for_end

CALLS = "rename,renameat,renameat2,link,linkat,fsync,unlink,unlinkat,rmdir,mkdir,mkdirat"
AT_ONCE = 2


@pytest.fixture
def backend(tmp_path: Path) -> LocalBackend:
    return LocalBackend(tmp_path / "runs")


@pytest.fixture
def undisturbed(backend: LocalBackend, inputs: Inputs) -> Snapshot:
    return wait_for_end(backend, submit(backend, short("undisturbed"), inputs))


def short(name: str) -> Experiment:
    """Two trials that need no sampler, which other tests kill."""
    enqueued = (
        {"max_features": 0.2, "min_samples_leaf": 4},
        {"max_features": 0.3, "min_samples_leaf": 2},
    )
    space = SearchSpace(
        parameters=SMALL_FOREST.parameters, fixed={"n_estimators": 5}, enqueued=enqueued
    )
    return experiment(name, space=space, budget=Budget(trials=len(enqueued)))


def survives(run: Run, call: int) -> bool:
    """Supervise the run, killed right before its n-th call, and tell whether there was one."""
    with run.lock.acquired() as lock:
        assert lock is not None
        done = subprocess.run(
            [
                *("strace", "-qq", "-o", "/dev/null", "-e", f"trace={CALLS}"),
                *("-e", f"inject={CALLS}:signal=KILL:when={call}"),
                *(sys.executable, "-P", "-m", "housectl.backends.local.supervisor", str(run.path)),
            ],
            stdin=lock,
            check=False,
        )
    assert done.returncode in {0, -9}
    return done.returncode == 0


def kills(backend: LocalBackend, inputs: Inputs) -> Iterator[tuple[Handle, bool]]:
    """Yield runs that were killed at their first, second, … call, until one survives."""

    def attempt(call: int) -> tuple[Handle, bool]:
        name = f"kill-{call}"
        run = create_run(backend.runs / name, short(name), inputs.path)
        return backend.handle(name), survives(run, call)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for first in count(1, AT_ONCE):
            yield from pool.map(attempt, range(first, first + AT_ONCE))


@pytest.mark.skipif(sys.platform != "linux", reason="strace is a Linux program")
def test_a_search_goes_on_after_a_kill_at_any_call(
    backend: LocalBackend, inputs: Inputs, undisturbed: Snapshot
) -> None:
    assert shutil.which("strace"), "this test needs strace: apt-get install strace"
    killed = 0
    for handle, survived in kills(backend, inputs):
        before = backend.observe(handle)
        if survived:
            assert before.state is ExperimentState.SUCCEEDED
            break
        killed += 1
        assert before.state in {ExperimentState.INTERRUPTED, ExperimentState.SUCCEEDED}
        assert {trial.state for trial in before.trials} <= {TrialState.SUCCEEDED}
        backend.resume(handle)
        after = wait_for_end(backend, handle)
        assert after.state is ExperimentState.SUCCEEDED
        assert findings(after) == findings(undisturbed)
        assert list(Run(backend.runs / handle.name).path.rglob(".tmp-*")) == []
    assert killed > len(undisturbed.trials) * 4
