"""Kill the supervisor at each of its system calls that change files."""

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGKILL

import pytest

from housectl.backends.local.backend import LocalBackend
from housectl.backends.local.run_directory import RunDirectory
from housectl.backends.local.submission import copy_inputs, create_run
from housectl.contract.inputs import Inputs
from housectl.experiment import (
    MODELS_TO_KEEP,
    Budget,
    Experiment,
    ExperimentState,
    SearchSpace,
    TrialState,
)
from housectl.python_process import module_argv
from tests.backends.workloads import SMALL_FOREST, experiment, results_of, wait_for_end
from tests.strace import inject_fault, log_calls

pytestmark = pytest.mark.slow

CALLS = "ftruncate,rename,renameat,renameat2,link,linkat,fsync,unlink,unlinkat,rmdir"
CONCURRENCY = 2


def sampler_free_experiment(name: str) -> Experiment:
    """Return an experiment whose trials need no sampler.

    The last trial is the slowest, so the others get models first. It is also the best, so one of
    these models is removed again.
    """
    enqueued = (
        *(
            {"max_features": 0.4, "min_samples_leaf": leaf}
            for leaf in range(MODELS_TO_KEEP + 2, 2, -1)
        ),
        {"max_features": 0.4, "min_samples_leaf": 1, "n_estimators": 150},
    )
    space = SearchSpace(
        parameters=SMALL_FOREST.parameters, fixed={"n_estimators": 5}, enqueued=enqueued
    )
    return experiment(name, space=space, budget=Budget(trials=len(enqueued)))


def supervise(run: RunDirectory, wrapper: tuple[str, ...]) -> int:
    """Run the supervisor below another program, and return its exit status."""
    with run.lock.acquired() as lock:
        assert lock is not None
        supervisor = (sys.executable, *module_argv("housectl.backends.local.supervisor"))
        command = [*wrapper, *supervisor, str(run.path)]
        return subprocess.run(command, stdin=lock, check=False).returncode


def changing_calls(run: RunDirectory, log: Path) -> list[tuple[str, int]]:
    """Supervise the run to its end; return the calls that changed files, each with its number.

    Like strace, the numbers count all calls of one name, including failed ones.
    """
    assert supervise(run, log_calls(CALLS, log)) == 0
    numbers: Counter[str] = Counter()
    calls = []
    for line in log.read_text().splitlines():
        name = line.partition("(")[0]
        numbers[name] += 1
        if line.endswith(" = 0"):
            calls.append((name, numbers[name]))
    return calls


@pytest.mark.strace
def test_search_resumes_after_kill_at_any_system_call(inputs: Inputs, tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path / "runs")

    def create(name: str) -> RunDirectory:
        copy_inputs(backend.runs, inputs)
        path = backend.runs / name
        return create_run(path, sampler_free_experiment(name), inputs=inputs.digest)

    def kill_and_resume(call: str, number: int) -> None:
        run = create(f"{call}-{number}")
        kill = inject_fault(call, f"signal=KILL:when={number}", follow_children=False)
        assert supervise(run, kill) == -SIGKILL
        handle = backend.handle(run.name)
        # A child of the other thread also holds this run's lock until its exec.
        killed = wait_for_end(backend, handle)
        assert killed.state in {ExperimentState.INTERRUPTED, ExperimentState.SUCCEEDED}
        assert {trial.state for trial in killed.trials} <= {TrialState.SUCCEEDED}
        backend.resume(handle)
        resumed = wait_for_end(backend, handle)
        assert resumed.state is ExperimentState.SUCCEEDED
        assert results_of(resumed) == expected
        assert len(list(run.outputs.rglob("model.joblib"))) == MODELS_TO_KEEP
        assert len(list(run.outputs.rglob("model.sha256"))) == MODELS_TO_KEEP
        assert list(run.path.rglob(".tmp-*")) == []

    calls = changing_calls(create("uninterrupted"), tmp_path / "calls")
    expected = results_of(backend.observe(backend.handle("uninterrupted")))
    assert Counter(name for name, _ in calls) == {
        "rename": 1,
        "fsync": len(expected) + 3,
        "ftruncate": 1,
        "unlink": 2,
    }
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(kill_and_resume, *zip(*calls, strict=True)))
