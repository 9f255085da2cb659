import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import IO

import pytest

from housectl.contract.families import Family
from housectl.contract.inputs import RECIPE_FILE, Inputs
from housectl.contract.metrics import METRICS_FILE, Metrics, read_metric_line
from housectl.contract.parameters import Value
from housectl.contract.pool_protocol import Step, TrialRequest, TrialResult
from housectl.contract.record import canonical_json
from housectl.errors import ExitStatus
from tests.trainer.small_assignments import SMALL_ASSIGNMENTS, TREE_FAMILIES, arguments_of

pytestmark = pytest.mark.slow

QUICK: dict[str, Value] = {"n_estimators": 3}
ENDLESS: dict[str, Value] = {"n_estimators": 10_000_000}
MEBIBYTE = 1 << 20
TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class RunningPool:
    """A pool in a process of its own, as a supervisor starts it.

    Attributes:
        held: Pipe that every process of the pool keeps open.
    """

    process: subprocess.Popen[bytes]
    requests: IO[bytes]
    results: IO[bytes]
    held: int
    directory: Path

    def send(
        self,
        number: int,
        family: Family,
        assignment: Mapping[str, Value],
        *,
        seconds: float | None = None,
        memory: int | None = None,
        step: Step = Step.MEASURE,
        rival: tuple[float, ...] | None = None,
    ) -> None:
        request = TrialRequest(
            number=number,
            step=step,
            family=family,
            assignment=dict(assignment),
            output=str(self.output(number)),
            log=str(self.log(number)),
            seconds=seconds,
            memory=memory,
            rival=rival,
        )
        self.requests.write(canonical_json(request) + b"\n")
        self.requests.flush()

    def output(self, number: int) -> Path:
        return self.directory / f"{number}"

    def log(self, number: int) -> Path:
        return self.directory / f"{number}.log"

    def read_result(self) -> TrialResult:
        return TrialResult.from_json(self.results.readline())

    def request(
        self,
        number: int,
        family: Family,
        assignment: Mapping[str, Value],
        *,
        step: Step = Step.MEASURE,
        rival: tuple[float, ...] | None = None,
    ) -> TrialResult:
        self.send(number, family, assignment, step=step, rival=rival)
        return self.read_result()

    def wait_for_start(self, number: int) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not self.log(number).exists():
            assert time.monotonic() < deadline, "the trial did not start"
            time.sleep(0.01)

    def all_processes_end(self) -> bool:
        """Return True if the pool and all its children closed the pipe that they hold."""
        ready, _, _ = select.select([self.held], [], [], TIMEOUT_SECONDS)
        return bool(ready) and os.read(self.held, 1) == b""


@pytest.fixture
def pool(boston: Inputs, tmp_path: Path) -> Iterator[RunningPool]:
    held, holding = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "housectl_trainer", "pool", "--inputs", boston.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[holding],
        cwd=Path(__file__).parents[2],
    )
    os.close(holding)
    timer = Timer(TIMEOUT_SECONDS, process.kill)
    timer.start()
    try:
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            yield RunningPool(process, process.stdin, process.stdout, held, tmp_path)
            process.kill()
    finally:
        timer.cancel()
        os.close(held)


@pytest.mark.parametrize("family", Family)
def test_pool_writes_the_output_of_a_single_trial(
    pool: RunningPool, boston: Inputs, tmp_path: Path, family: Family
) -> None:
    results = [pool.request(4, family, SMALL_ASSIGNMENTS[family], step=step) for step in Step]
    single = tmp_path / "single"
    program = [sys.executable, "-m", "housectl_trainer", "trial", "--inputs", boston.path]
    arguments = ["--output", single, "--family", family, *arguments_of(SMALL_ASSIGNMENTS[family])]
    subprocess.run(
        list(map(str, [*program, *arguments])), check=True, cwd=Path(__file__).parents[2]
    )
    files = {path.name: path.read_bytes() for path in single.iterdir()}
    assert files == {path.name: path.read_bytes() for path in pool.output(4).iterdir()}
    metrics = Metrics.from_json(files[METRICS_FILE])
    result = TrialResult(number=4, mse=metrics.mse, fold_mses=metrics.fold_mses)
    assert results == [result] * 2
    assert read_metric_line(pool.log(4).read_text()) == metrics.mse


@pytest.mark.parametrize("family", Family)
def test_pool_prunes_as_a_single_trial(
    pool: RunningPool, boston: Inputs, tmp_path: Path, family: Family
) -> None:
    rival = Metrics(mse=0.2, fold_mses=(0.1, 0.2, 0.3, 0.2, 0.2))
    directory = tmp_path / "rival"
    directory.mkdir()
    (directory / METRICS_FILE).write_bytes(rival.to_json())
    assignment = SMALL_ASSIGNMENTS[family]
    result = pool.request(4, family, assignment, rival=rival.fold_mses)
    single = tmp_path / "single"
    program = [sys.executable, "-m", "housectl_trainer", "trial", "--inputs", boston.path]
    arguments = ["--output", single, "--family", family, "--rival", "rival"]
    process = subprocess.run(
        list(map(str, [*program, *arguments, *arguments_of(assignment)])),
        check=True,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    files = {path.name: path.read_bytes() for path in single.iterdir()}
    assert files.keys() == {METRICS_FILE, RECIPE_FILE}
    assert files == {path.name: path.read_bytes() for path in pool.output(4).iterdir()}
    metrics = Metrics.from_json(files[METRICS_FILE])
    assert result == TrialResult(
        number=4, mse=metrics.mse, fold_mses=metrics.fold_mses, pruned_after=1
    )
    assert metrics.mse == pytest.approx(0.2 + metrics.fold_mses[0] - 0.1)
    assert process.stdout == f"mse={metrics.mse!r}\npruned_after=1\n"
    assert pool.log(4).read_text() == process.stdout


def test_trial_that_beats_its_rival_is_not_pruned(pool: RunningPool) -> None:
    alone, beside_rival = (
        pool.request(4, Family.XGBOOST, QUICK, rival=rival) for rival in (None, (1e6,) * 5)
    )
    assert beside_rival == alone
    assert len(alone.fold_mses) == 5


def test_pool_measures_many_trials_at_once_without_models(pool: RunningPool) -> None:
    for number in range(8):
        family = list(Family)[number % len(Family)]
        pool.send(number, family, SMALL_ASSIGNMENTS[family])
    results = {result.number: result for result in (pool.read_result() for _ in range(8))}
    assert sorted(results) == list(range(8))
    assert {result.cause for result in results.values()} == {None}
    files = {path.name for number in range(8) for path in pool.output(number).iterdir()}
    assert files == {METRICS_FILE, RECIPE_FILE}


@pytest.mark.parametrize("family", TREE_FAMILIES)
def test_trial_above_its_memory_limit_runs_out_of_memory(pool: RunningPool, family: Family) -> None:
    for number in (1, 2):
        pool.send(number, family, QUICK, memory=16 * MEBIBYTE)
        assert pool.read_result().cause is None
    pool.send(3, family, {"n_estimators": 3_000, "max_depth": 20}, memory=2 * MEBIBYTE)
    assert pool.read_result() == TrialResult(number=3, cause="out of memory")
    assert not pool.output(3).exists()
    assert pool.request(4, family, QUICK).cause is None


def test_trial_killed_by_the_kernel_ran_out_of_memory(pool: RunningPool) -> None:
    pool.send(1, Family.RANDOM_FOREST, ENDLESS)
    pool.wait_for_start(1)
    os.kill(child_of(pool.process.pid), signal.SIGKILL)
    assert pool.read_result().cause == "out of memory"


def test_other_signal_is_named(pool: RunningPool) -> None:
    pool.send(1, Family.RANDOM_FOREST, ENDLESS)
    pool.wait_for_start(1)
    os.kill(child_of(pool.process.pid), signal.SIGSEGV)
    assert pool.read_result().cause == "killed by SIGSEGV"


def child_of(parent: int) -> int:
    """Return the only child that is no zombie."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat="], check=True, capture_output=True, text=True
    ).stdout
    processes = map(str.split, listed.splitlines())
    (child,) = (
        int(pid) for pid, ppid, state in processes if int(ppid) == parent and state[0] != "Z"
    )
    return child


def test_worker_is_reused_and_replaced_when_it_was_killed(pool: RunningPool) -> None:
    workers = []
    for number in (1, 2):
        assert pool.request(number, Family.XGBOOST, QUICK).cause is None
        workers.append(child_of(pool.process.pid))
    worker, same = workers
    assert worker == same
    os.kill(worker, signal.SIGKILL)
    wait_until_dead(worker)
    assert pool.request(3, Family.XGBOOST, QUICK).cause is None
    assert child_of(pool.process.pid) != worker


def test_worker_is_replaced_when_it_would_have_to_import_a_library(pool: RunningPool) -> None:
    workers = []
    for number, family in enumerate([Family.LINEAR, Family.XGBOOST, Family.LINEAR]):
        assert pool.request(number, family, SMALL_ASSIGNMENTS[family]).cause is None
        workers.append(child_of(pool.process.pid))
    assert workers[0] != workers[1] == workers[2]


def wait_until_dead(process: int) -> None:
    """Wait until a child of the pool is a zombie without threads."""
    command = ["ps", "-o", "stat=", "-p", str(process)]
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (state := subprocess.check_output(command, text=True))[0] != "Z" or "l" in state:
        assert time.monotonic() < deadline, "the worker did not end"
        time.sleep(0.01)


def test_trial_above_its_time_limit_times_out_and_others_continue(pool: RunningPool) -> None:
    pool.send(1, Family.RANDOM_FOREST, ENDLESS, seconds=0.3)
    pool.send(2, Family.XGBOOST, QUICK, seconds=TIMEOUT_SECONDS)
    results = {result.number: result for result in (pool.read_result(), pool.read_result())}
    assert results[1] == TrialResult(number=1, cause="timed out")
    assert results[2].cause is None
    assert not pool.output(1).exists()


@pytest.mark.parametrize(
    ("assignment", "status", "error"),
    [
        ({"max_features": 5.0}, ExitStatus.USAGE, "The parameter max_features of random-forest"),
        ({"depth": 5}, ExitStatus.USAGE, "The family random-forest has no parameter 'depth'."),
    ],
)
def test_rejected_assignment_is_the_cause(
    pool: RunningPool, assignment: dict[str, Value], status: ExitStatus, error: str
) -> None:
    result = pool.request(1, Family.RANDOM_FOREST, assignment)
    assert result.mse is None
    assert result.cause is not None
    assert result.cause.startswith(f"exited {status:d}: error: {error}")
    assert "hint: " in pool.log(1).read_text()


def test_log_that_cannot_be_written_ends_only_its_trial(pool: RunningPool) -> None:
    pool.log(1).mkdir()
    result = pool.request(1, Family.XGBOOST, QUICK)
    assert result.cause == "exited 1: no log, Is a directory"
    assert pool.request(2, Family.XGBOOST, QUICK).cause is None


def test_output_without_an_objective_is_reported_as_no_metric(pool: RunningPool) -> None:
    pool.output(1).mkdir()
    (pool.output(1) / METRICS_FILE).write_text("{}")
    assert pool.request(1, Family.XGBOOST, QUICK) == TrialResult(number=1, cause="no metric")


def test_pool_and_its_trials_end_when_stdin_is_closed(pool: RunningPool) -> None:
    pool.send(1, Family.RANDOM_FOREST, ENDLESS)
    pool.wait_for_start(1)
    pool.requests.close()
    assert pool.all_processes_end()
    assert pool.process.wait() == ExitStatus.OK


def test_no_trial_outlives_a_killed_pool(pool: RunningPool) -> None:
    for number, family in enumerate([*TREE_FAMILIES, *TREE_FAMILIES]):
        pool.send(number, family, ENDLESS)
        pool.wait_for_start(number)
    pool.process.kill()
    assert pool.all_processes_end()


def test_invalid_request_ends_the_pool(pool: RunningPool) -> None:
    pool.requests.write(b"train something\n")
    pool.requests.flush()
    assert pool.process.wait() == ExitStatus.USAGE


def test_pool_never_imports_onnx_or_pandas() -> None:
    program = """
import sys
import housectl_trainer.pool
from housectl.contract.families import Family
from housectl_trainer.model_family import load_family
for family in Family:
    load_family(family)
print(*sys.modules)
"""
    process = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    modules = set(process.stdout.split())
    assert {"sklearn.ensemble", "xgboost"} <= modules
    assert not {"onnxruntime", "onnx", "pandas", "pyarrow"} & modules
