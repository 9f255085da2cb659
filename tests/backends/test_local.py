"""The local backend: the contract, and its own guarantees."""

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from housectl.backends.base import Handle, Snapshot
from housectl.backends.local.backend import LocalBackend
from housectl.backends.local.records import TrialRecord
from housectl.backends.local.run_directory import RunDirectory
from housectl.cli.progress import PlainProgress
from housectl.contract.checksum import verified_digest
from housectl.contract.files import file_digest
from housectl.contract.inputs import Inputs
from housectl.contract.trial_output import read_trial_output
from housectl.cores import usable_cores
from housectl.errors import BundleError, LocalEnvironmentError
from housectl.experiment import (
    MIN_LAG,
    MODELS_TO_KEEP,
    Budget,
    ExperimentState,
    SearchSpace,
    Trial,
    TrialState,
    rank_trials,
)
from housectl.sealing import Sealer
from housectl.store.local import LocalStore
from tests.backends.contract import BackendContract
from tests.backends.workloads import (
    SMALL_FOREST,
    experiment,
    results_of,
    submit,
    wait_for_end,
    wait_until,
    wait_until_finished,
)

pytestmark = pytest.mark.slow

BUDGET = Budget(trials=14)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("local") / "runs"


@pytest.fixture(scope="module")
def backend(runs: Path) -> Iterator[LocalBackend]:
    backend = LocalBackend(runs)
    yield backend
    for handle in backend.handles():
        backend.delete(handle)


@pytest.fixture(scope="module")
def uninterrupted(backend: LocalBackend, inputs: Inputs) -> Snapshot:
    """An uninterrupted search of 14 trials; six of them depend on results."""
    handle = submit(backend, experiment("uninterrupted", budget=BUDGET), inputs)
    return wait_for_end(backend, handle)


class TestLocalBackend(BackendContract):
    """The contract."""


def supervisor_pid(run: RunDirectory) -> int:
    holder = run.lock.holder
    assert holder is not None
    return holder


def pool_pid(run: RunDirectory) -> int:
    """Return the PID of the pool, the only child of the supervisor."""
    completed = subprocess.run(
        ["pgrep", "-P", str(supervisor_pid(run))], capture_output=True, text=True, check=True
    )
    return int(completed.stdout)


def kill_supervisor(run: RunDirectory) -> None:
    os.kill(supervisor_pid(run), signal.SIGKILL)


def kill_pool(run: RunDirectory) -> None:
    os.kill(pool_pid(run), signal.SIGKILL)


def kill_supervisor_and_pool(run: RunDirectory) -> None:
    pool = pool_pid(run)
    kill_supervisor(run)
    os.kill(pool, signal.SIGKILL)


def temporary_files(run: RunDirectory) -> list[Path]:
    return list(run.path.rglob(".tmp-*"))


@pytest.mark.parametrize("workers", [1, 4])
def test_trials_do_not_depend_on_workers(
    backend: LocalBackend, inputs: Inputs, uninterrupted: Snapshot, workers: int
) -> None:
    work = experiment(f"workers-{workers}", budget=BUDGET, workers=workers)
    handle = submit(backend, work, inputs)
    while_running = backend.observe(handle)
    snapshot = wait_for_end(backend, handle)
    assert results_of(snapshot) == results_of(uninterrupted)
    note = f"{workers} workers on {usable_cores()} cores: {usable_cores()} trials run at"
    has_note = any(note in warning for warning in while_running.warnings)
    assert has_note == (workers > usable_cores())


def test_trials_that_can_hardly_win_are_pruned(
    backend: LocalBackend, uninterrupted: Snapshot, inputs: Inputs, runs: Path
) -> None:
    pruned = [trial for trial in uninterrupted.trials if trial.state is TrialState.PRUNED]
    assert pruned
    best = uninterrupted.best_trial
    assert best is not None
    for trial in pruned:
        metrics = read_trial_output(RunDirectory(runs / "uninterrupted").output(trial.name)).metrics
        assert metrics.pruned_after == trial.pruned_after == len(metrics.fold_mses)
        assert trial.pruned_after in range(1, 5)
        assert (metrics.mse, trial.cause) == (trial.mse, None)
        assert metrics.mse > (best.mse or 0)
        assert trial.number >= MIN_LAG
    work = replace(experiment("complete", budget=Budget(trials=pruned[0].number + 1)), prune=False)
    complete = wait_for_end(backend, submit(backend, work, inputs)).trials
    assert {trial.state for trial in complete} == {TrialState.SUCCEEDED}
    assert [trial.assignment for trial in complete] == [
        trial.assignment for trial in uninterrupted.trials[: len(complete)]
    ]


def test_resumed_search_prunes_by_rivals_without_files(
    backend: LocalBackend, inputs: Inputs, uninterrupted: Snapshot
) -> None:
    handle = submit(backend, experiment("rivals", budget=BUDGET), inputs)
    wait_until_finished(backend, handle, MIN_LAG)
    backend.stop(handle)
    finished = backend.observe(handle).trials
    backend.delete_outputs(handle, [trial.name for trial in finished])
    backend.resume(handle)
    assert results_of(wait_for_end(backend, handle)) == results_of(uninterrupted)


def test_search_of_earlier_version_is_resumed(
    backend: LocalBackend, inputs: Inputs, uninterrupted: Snapshot, runs: Path
) -> None:
    """An earlier version wrote a file for each trial, without its errors on the folds."""
    handle = submit(backend, experiment("earlier", budget=BUDGET), inputs)
    wait_until_finished(backend, handle, 3)
    backend.stop(handle)
    finished = backend.observe(handle).trials
    run = runs / "earlier"
    (run / "trials").mkdir()
    for trial in finished:
        (run / "trials" / f"{trial.name}.json").write_bytes(TrialRecord(trial=trial).to_json())
    (run / "trials.jsonl").unlink()
    newer = LocalBackend(runs)
    assert newer.observe(handle).trials == finished
    newer.resume(handle)
    snapshot = wait_for_end(newer, handle)
    assert snapshot.state is ExperimentState.SUCCEEDED
    numbers = {trial.number for trial in finished}
    assert tuple(trial for trial in snapshot.trials if trial.number in numbers) == finished
    assert len(snapshot.trials) == BUDGET.trials
    assert results_of(snapshot)[:MIN_LAG] == results_of(uninterrupted)[:MIN_LAG]


@pytest.mark.parametrize("kill", [kill_supervisor, kill_pool, kill_supervisor_and_pool])
def test_trials_do_not_depend_on_kills(
    backend: LocalBackend,
    inputs: Inputs,
    uninterrupted: Snapshot,
    runs: Path,
    kill: Callable[[RunDirectory], None],
) -> None:
    moments = sorted(random.Random(kill.__name__).sample(range(1, 13), k=2))
    name = kill.__name__.replace("_", "-")
    handle = submit(backend, experiment(name, budget=BUDGET), inputs)
    run = RunDirectory(runs / name)
    for moment in moments:
        wait_until_finished(backend, handle, moment)
        kill(run)
        if kill is not kill_pool:
            wait_until(backend, handle, lambda snapshot: snapshot.state.ended)
            assert backend.observe(handle).state is ExperimentState.INTERRUPTED
            states = {trial.state for trial in backend.observe(handle).trials}
            assert states <= {TrialState.SUCCEEDED, TrialState.PRUNED}
            backend.resume(handle)
    snapshot = wait_for_end(backend, handle)
    assert snapshot.state is ExperimentState.SUCCEEDED
    assert results_of(snapshot) == results_of(uninterrupted)
    assert trials_with_model(run) == best_names(snapshot)
    assert temporary_files(run) == []


def trials_with_model(run: RunDirectory) -> set[str]:
    return {path.parent.name for path in run.outputs.rglob("model.*")}


def best_names(snapshot: Snapshot) -> set[str]:
    return {trial.name for _, trial in rank_trials(snapshot.trials)[:MODELS_TO_KEEP]}


def test_only_the_best_models_are_kept(uninterrupted: Snapshot, runs: Path) -> None:
    run = RunDirectory(runs / "uninterrupted")
    assert trials_with_model(run) == best_names(uninterrupted)
    assert len(list(run.outputs.glob("*/metrics.json"))) == len(uninterrupted.trials)
    assert len(list(run.outputs.glob("*/recipe.json"))) == len(uninterrupted.trials)


def test_stopped_search_has_models_of_best_trials(
    backend: LocalBackend, inputs: Inputs, uninterrupted: Snapshot, runs: Path
) -> None:
    handle = submit(backend, experiment("halted", budget=BUDGET), inputs)
    run = RunDirectory(runs / "halted")
    wait_until_finished(backend, handle, MODELS_TO_KEEP + 2)
    backend.stop(handle)
    stopped = backend.observe(handle)
    assert stopped.state is ExperimentState.STOPPED
    assert trials_with_model(run) == best_names(stopped)
    backend.resume(handle)
    resumed = wait_for_end(backend, handle)
    assert results_of(resumed) == results_of(uninterrupted)
    assert trials_with_model(run) == best_names(resumed)


def test_failed_search_has_models_of_best_trials(
    backend: LocalBackend, inputs: Inputs, runs: Path
) -> None:
    invalid = {"max_features": 5.0, "min_samples_leaf": 1}
    enqueued = tuple({"max_features": 0.5, "min_samples_leaf": leaf} for leaf in range(1, 6))
    space = SearchSpace(
        parameters=SMALL_FOREST.parameters,
        fixed=SMALL_FOREST.fixed,
        enqueued=(*enqueued, invalid, invalid),
    )
    work = experiment("broken", space=space, budget=Budget(trials=100, max_failed=2))
    snapshot = wait_for_end(backend, submit(backend, work, inputs))
    assert snapshot.state is ExperimentState.FAILED
    assert trials_with_model(RunDirectory(runs / "broken")) == best_names(snapshot)


def test_deleted_output_gets_no_model(backend: LocalBackend, inputs: Inputs, runs: Path) -> None:
    handle = submit(backend, experiment("discarding", budget=Budget(trials=5)), inputs)
    run = RunDirectory(runs / "discarding")
    wait_until_finished(backend, handle, 2)
    backend.stop(handle)
    first, *_ = backend.observe(handle).trials
    backend.delete_outputs(handle, [first.name])
    backend.resume(handle)
    resumed = wait_for_end(backend, handle)
    assert resumed.trials[0] == first
    assert not run.output(first.name).exists()
    assert trials_with_model(run) == best_names(resumed) - {first.name}


def test_model_without_checksum_is_fitted_again(
    backend: LocalBackend, inputs: Inputs, runs: Path
) -> None:
    handle = submit(backend, experiment("half", budget=BUDGET), inputs)
    wait_until_finished(backend, handle, MODELS_TO_KEEP)
    backend.stop(handle)
    run = RunDirectory(runs / "half")
    for checksum in run.outputs.rglob("model.sha256"):
        checksum.unlink()
        checksum.with_name("model.joblib").write_bytes(b"a half-written model")
    backend.resume(handle)
    snapshot = wait_for_end(backend, handle)
    assert trials_with_model(run) == best_names(snapshot)
    for model in run.outputs.rglob("model.joblib"):
        assert verified_digest(model) == file_digest(model)


def flip_bit(model: Path) -> None:
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)


@pytest.fixture
def sealer(ended_search: Handle, runs: Path, tmp_path: Path) -> Sealer:
    """Sealer of a copy of the finished search, which a test may damage."""
    shutil.copytree(runs / ended_search.name, tmp_path / "runs" / ended_search.name)
    shutil.copytree(runs.parent / "inputs", tmp_path / "inputs")
    return Sealer(
        backend=LocalBackend(tmp_path / "runs"),
        store=LocalStore(tmp_path / "store"),
        progress=PlainProgress(),
        temp_root=tmp_path / "scratch",
    )


def assert_rejected(sealer: Sealer, name: str, *, best: Trial, match: str) -> None:
    with pytest.raises(BundleError, match=match) as caught:
        sealer.seal_best(sealer.backend.handle(name))
    assert f"of {best.name} is invalid" in caught.value.message
    assert caught.value.hint.startswith("housectl tune")
    assert list(sealer.temp_root.iterdir()) == []


@pytest.mark.parametrize("damage", [flip_bit, Path.unlink])
def test_damaged_model_is_rejected(
    damage: Callable[[Path], None], sealer: Sealer, ended_search: Handle, tmp_path: Path
) -> None:
    handle = sealer.backend.handle(ended_search.name)
    best, *_ = [trial for _, trial in rank_trials(sealer.backend.observe(handle).trials)]
    read_trial_output(sealer.backend.fetch(handle, best.name, tmp_path / best.name))
    damage(RunDirectory(tmp_path / "runs" / ended_search.name).output(best.name) / "model.joblib")
    assert_rejected(sealer, ended_search.name, best=best, match=r"model\.joblib")


def test_output_of_other_trial_is_rejected(
    sealer: Sealer, ended_search: Handle, tmp_path: Path
) -> None:
    handle = sealer.backend.handle(ended_search.name)
    best, other, *_ = [trial for _, trial in rank_trials(sealer.backend.observe(handle).trials)]
    run = RunDirectory(tmp_path / "runs" / ended_search.name)
    shutil.rmtree(run.output(best.name))
    shutil.copytree(run.output(other.name), run.output(best.name))
    assert_rejected(sealer, ended_search.name, best=best, match="differs from the trial.s record")


def test_size_of_a_large_bundle_is_reported(
    sealer: Sealer,
    ended_search: Handle,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("housectl.sealing.LARGE_BYTES", 1000)
    challenger = sealer.seal_best(sealer.backend.handle(ended_search.name))
    message = f"The bundle {challenger.bundle[:12]} has 1 MB, so that servers start slowly."
    assert message in capsys.readouterr().err


def test_interrupted_search_has_resume_hint(
    backend: LocalBackend, inputs: Inputs, runs: Path
) -> None:
    handle = submit(backend, experiment("interrupted"), inputs)
    kill_supervisor(RunDirectory(runs / "interrupted"))
    snapshot = wait_for_end(backend, handle)
    assert snapshot.state is ExperimentState.INTERRUPTED
    assert "housectl tune --resume interrupted" in (snapshot.reason or "")
    backend.stop(handle)
    assert backend.observe(handle).state is ExperimentState.STOPPED


def test_enqueued_assignments_come_first(backend: LocalBackend, inputs: Inputs) -> None:
    enqueued = {"max_features": 0.5, "min_samples_leaf": 2}
    space = SearchSpace(
        parameters=SMALL_FOREST.parameters, fixed=SMALL_FOREST.fixed, enqueued=(enqueued,)
    )
    work = experiment("enqueued", space=space, budget=Budget(trials=2))
    snapshot = wait_for_end(backend, submit(backend, work, inputs))
    assert snapshot.trials[0].assignment == {**enqueued, "n_estimators": 20}


def test_search_ends_at_time_limit(backend: LocalBackend, inputs: Inputs, runs: Path) -> None:
    budget = Budget(trials=1000, seconds=0.5)
    snapshot = wait_for_end(backend, submit(backend, experiment("short", budget=budget), inputs))
    assert snapshot.state is ExperimentState.SUCCEEDED
    assert 2 <= len(snapshot.trials) < 1000
    assert f"after {len(snapshot.trials)} of 1000" in (snapshot.reason or "")
    assert trials_with_model(RunDirectory(runs / "short")) == best_names(snapshot)


def test_damaged_inputs_fail_search_with_reason(inputs: Inputs, tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path / "runs")
    damaged = Inputs(path=tmp_path / "inputs" / inputs.digest, shared=inputs.shared)
    shutil.copytree(inputs.path, damaged.path)
    damaged.data.write_text("not the data")
    snapshot = wait_for_end(backend, submit(backend, experiment("damaged"), damaged))
    assert snapshot.state is ExperimentState.FAILED
    assert "data.csv has the digest" in (snapshot.reason or "")


def test_repeatedly_crashing_pool_interrupts_search(
    backend: LocalBackend, inputs: Inputs, runs: Path
) -> None:
    slow = SearchSpace(parameters=SMALL_FOREST.parameters, fixed={"n_estimators": 5000})
    handle = submit(backend, experiment("hopeless", space=slow), inputs)
    run = RunDirectory(runs / "hopeless")
    while not backend.observe(handle).state.ended:
        backend.wait(handle, backend.observe(handle), timeout=0.3)
        subprocess.run(["pkill", "-KILL", "-P", str(run.lock.holder or 0)], check=False)
    snapshot = backend.observe(handle)
    assert snapshot.state is ExperimentState.INTERRUPTED
    assert "killed by SIGKILL, 3 times in a row" in (snapshot.reason or "")


def test_disk_error_interrupts_search(backend: LocalBackend, inputs: Inputs, runs: Path) -> None:
    handle = submit(backend, experiment("unwritable"), inputs)
    backend.stop(handle)
    logs = runs / "unwritable" / "logs"
    shutil.rmtree(logs)
    logs.touch()
    backend.resume(handle)
    snapshot = wait_for_end(backend, handle)
    assert snapshot.state is ExperimentState.INTERRUPTED
    assert "Cannot write" in (snapshot.reason or "")


def test_stop_leaves_no_process(backend: LocalBackend, inputs: Inputs, runs: Path) -> None:
    handle = submit(backend, experiment("quiet", budget=Budget(trials=1000)), inputs)
    wait_until_finished(backend, handle, 1)
    pool = pool_pid(RunDirectory(runs / "quiet"))
    assert running_states(pool) != []
    backend.stop(handle)
    assert running_states(pool) == []


def running_states(group: int) -> list[str]:
    """Return the states of the running processes of a group, without zombies."""
    completed = subprocess.run(
        ["ps", "-A", "-o", "pgid=", "-o", "stat="], capture_output=True, text=True, check=True
    )
    processes = [line.split() for line in completed.stdout.splitlines()]
    return [state for pgid, state in processes if pgid == str(group) and not state.startswith("Z")]


def test_plan_is_shell_script(backend: LocalBackend, inputs: Inputs, tmp_path: Path) -> None:
    enqueued = ({"max_features": 0.5, "min_samples_leaf": 2},)
    space = SearchSpace(
        parameters=SMALL_FOREST.parameters, fixed={"n_estimators": 5}, enqueued=enqueued
    )
    script = str(backend.plan(experiment("printed", space=space), inputs=inputs, image=None))
    assert "-m housectl_trainer pool" in script
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@" >> "$OUTPUT"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    calls = tmp_path / "calls"
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "OUTPUT": str(calls),
        "number": "1",
        "max_features": "0.25",
        "min_samples_leaf": "3",
    }
    subprocess.run(["sh", "-c", script], env=environment, check=True)
    first, template = calls.read_text().splitlines()
    assert first.endswith("max_features=0.5 min_samples_leaf=2 n_estimators=5")
    assert "--output printed/0000 " in first
    assert template.endswith("n_estimators=5 max_features=0.25 min_samples_leaf=3")


def test_plan_names_rival_unless_trials_are_never_pruned(
    backend: LocalBackend, inputs: Inputs
) -> None:
    work = experiment("rivals", budget=Budget(trials=MIN_LAG + 1))
    shorter = experiment("rivals", budget=Budget(trials=MIN_LAG))
    scripts = [
        str(backend.plan(each, inputs=inputs, image=None))
        for each in (work, shorter, replace(work, prune=False))
    ]
    assert ['--rival "${rival}"' in script for script in scripts] == [True, False, False]


def test_project_can_be_moved(inputs: Inputs, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    moved_inputs = Inputs(path=before / "inputs" / inputs.digest, shared=inputs.shared)
    shutil.copytree(inputs.path, moved_inputs.path)
    backend = LocalBackend(before / "runs")
    backend.stop(submit(backend, experiment("moved"), moved_inputs))
    before.rename(after)
    moved = LocalBackend(after / "runs")
    handle = moved.handle("moved")
    moved.resume(handle)
    assert wait_for_end(moved, handle).state is ExperimentState.SUCCEEDED


def test_missing_library_is_reported_before_writing(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(LocalEnvironmentError, match="sklearn") as caught:
        submit(LocalBackend(tmp_path / "runs"), experiment("libraries"), inputs)
    assert caught.value.hint == "pip install 'housectl[local]'"
    assert not (tmp_path / "runs").exists()
