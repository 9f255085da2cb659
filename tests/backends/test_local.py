"""The local backend: the contract, and what only it promises."""

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from housectl.backends.base import Handle, Snapshot
from housectl.backends.local.backend import LocalBackend
from housectl.backends.local.run_directory import RunDirectory
from housectl.cli.progress import PlainProgress
from housectl.contract.checksum import verified_digest
from housectl.contract.files import file_digest
from housectl.contract.inputs import Inputs
from housectl.contract.trial_output import read_trial_output
from housectl.errors import BundleError, LocalEnvironmentError
from housectl.experiment import (
    MODELS_TO_KEEP,
    Budget,
    ExperimentState,
    SearchSpace,
    Trial,
    TrialState,
    rank_trials,
)
from housectl.sealing import Sealer
from housectl.store import ChampionStore
from tests.backends.contract import BackendContract
from tests.backends.workloads import (
    SMALL_FOREST,
    experiment,
    findings,
    submit,
    wait_for_end,
    wait_until,
    wait_until_finished,
)

TRIALS = Budget(trials=14)


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
def undisturbed(backend: LocalBackend, inputs: Inputs) -> Snapshot:
    """A search of 14 trials that nothing happened to: six of them depend on results."""
    handle = submit(backend, experiment("undisturbed", budget=TRIALS), inputs)
    return wait_for_end(backend, handle)


class TestLocalBackend(BackendContract):
    """The contract."""


def supervisor_of(run: RunDirectory) -> int:
    holder = run.lock.holder
    assert holder is not None
    return holder


def pool_of(run: RunDirectory) -> int:
    """Return the pool's process: the only child of the supervisor."""
    found = subprocess.run(
        ["pgrep", "-P", str(supervisor_of(run))], capture_output=True, text=True, check=True
    )
    return int(found.stdout)


def kill_supervisor(run: RunDirectory) -> None:
    os.kill(supervisor_of(run), signal.SIGKILL)


def kill_pool(run: RunDirectory) -> None:
    os.kill(pool_of(run), signal.SIGKILL)


def kill_both(run: RunDirectory) -> None:
    pool = pool_of(run)
    kill_supervisor(run)
    os.kill(pool, signal.SIGKILL)


def temporary_files(run: RunDirectory) -> list[Path]:
    return list(run.path.rglob(".tmp-*"))


@pytest.mark.parametrize("workers", [1, 4])
def test_the_trials_do_not_depend_on_the_workers(
    backend: LocalBackend, inputs: Inputs, undisturbed: Snapshot, workers: int
) -> None:
    work = experiment(f"workers-{workers}", budget=TRIALS, workers=workers)
    snapshot = wait_for_end(backend, submit(backend, work, inputs))
    assert findings(snapshot) == findings(undisturbed)


@pytest.mark.parametrize("kill", [kill_supervisor, kill_pool, kill_both])
def test_the_trials_do_not_depend_on_kills(
    backend: LocalBackend,
    inputs: Inputs,
    undisturbed: Snapshot,
    runs: Path,
    kill: Callable[[RunDirectory], None],
) -> None:
    moments = sorted(random.Random(kill.__name__).sample(range(1, 13), k=2))
    handle = submit(backend, experiment(kill.__name__, budget=TRIALS), inputs)
    run = RunDirectory(runs / kill.__name__)
    for moment in moments:
        wait_until_finished(backend, handle, moment)
        kill(run)
        if kill is not kill_pool:
            wait_until(backend, handle, lambda seen: seen.state.ended)
            assert backend.observe(handle).state is ExperimentState.INTERRUPTED
            assert {trial.state for trial in backend.observe(handle).trials} == {
                TrialState.SUCCEEDED
            }
            backend.resume(handle)
    snapshot = wait_for_end(backend, handle)
    assert snapshot.state is ExperimentState.SUCCEEDED
    assert findings(snapshot) == findings(undisturbed)
    assert models(run) == best_names(snapshot)
    assert temporary_files(run) == []


def models(run: RunDirectory) -> set[str]:
    return {path.parent.name for path in run.outputs.rglob("model.*")}


def best_names(snapshot: Snapshot) -> set[str]:
    return {trial.name for _, trial in rank_trials(snapshot.trials)[:MODELS_TO_KEEP]}


def test_only_the_best_models_are_kept(undisturbed: Snapshot, runs: Path) -> None:
    run = RunDirectory(runs / "undisturbed")
    assert models(run) == best_names(undisturbed)
    assert len(list(run.outputs.glob("*/metrics.json"))) == len(undisturbed.trials)
    assert len(list(run.outputs.glob("*/recipe.json"))) == len(undisturbed.trials)


def test_a_stopped_search_has_the_models_of_its_best(
    backend: LocalBackend, inputs: Inputs, undisturbed: Snapshot, runs: Path
) -> None:
    handle = submit(backend, experiment("halted", budget=TRIALS), inputs)
    run = RunDirectory(runs / "halted")
    wait_until_finished(backend, handle, MODELS_TO_KEEP + 2)
    backend.stop(handle)
    stopped = backend.observe(handle)
    assert stopped.state is ExperimentState.STOPPED
    assert models(run) == best_names(stopped)
    backend.resume(handle)
    resumed = wait_for_end(backend, handle)
    assert findings(resumed) == findings(undisturbed)
    assert models(run) == best_names(resumed)


def test_a_search_that_failed_has_the_models_of_its_best(
    backend: LocalBackend, inputs: Inputs, runs: Path
) -> None:
    refused = {"max_features": 5.0, "min_samples_leaf": 1}
    enqueued = tuple({"max_features": 0.5, "min_samples_leaf": leaf} for leaf in range(1, 6))
    space = SearchSpace(
        parameters=SMALL_FOREST.parameters,
        fixed=SMALL_FOREST.fixed,
        enqueued=(*enqueued, refused, refused),
    )
    work = experiment("broken", space=space, budget=Budget(trials=100, max_failed=2))
    snapshot = wait_for_end(backend, submit(backend, work, inputs))
    assert snapshot.state is ExperimentState.FAILED
    assert models(RunDirectory(runs / "broken")) == best_names(snapshot)


def test_what_was_discarded_gets_no_model(
    backend: LocalBackend, inputs: Inputs, runs: Path
) -> None:
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
    assert models(run) == best_names(resumed) - {first.name}


def test_a_model_whose_checksum_was_never_written_is_fitted_again(
    backend: LocalBackend, inputs: Inputs, runs: Path
) -> None:
    handle = submit(backend, experiment("half", budget=TRIALS), inputs)
    wait_until_finished(backend, handle, MODELS_TO_KEEP)
    backend.stop(handle)
    run = RunDirectory(runs / "half")
    for checksum in run.outputs.rglob("model.sha256"):
        checksum.unlink()
        checksum.with_name("model.joblib").write_bytes(b"what a model was to become")
    backend.resume(handle)
    snapshot = wait_for_end(backend, handle)
    assert models(run) == best_names(snapshot)
    for model in run.outputs.rglob("model.joblib"):
        assert verified_digest(model) == file_digest(model)


def flip(model: Path) -> None:
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)


@pytest.fixture
def sealer(ended: Handle, runs: Path, tmp_path: Path) -> Sealer:
    """Seals from a copy of the search that has ended, which a test may damage."""
    shutil.copytree(runs / ended.name, tmp_path / "runs" / ended.name)
    return Sealer(
        backend=LocalBackend(tmp_path / "runs"),
        store=ChampionStore(tmp_path / "store"),
        progress=PlainProgress(),
        temp_root=tmp_path / "scratch",
    )


def assert_refused(sealer: Sealer, name: str, *, best: Trial, why: str) -> None:
    with pytest.raises(BundleError, match=why) as caught:
        sealer.seal_best(sealer.backend.handle(name))
    assert f"of {best.name} is refused" in caught.value.message
    assert caught.value.hint.startswith("housectl tune")
    assert list(sealer.temp_root.iterdir()) == []


@pytest.mark.parametrize("damage", [flip, Path.unlink])
def test_a_damaged_model_is_refused(
    damage: Callable[[Path], None], sealer: Sealer, ended: Handle, tmp_path: Path
) -> None:
    handle = sealer.backend.handle(ended.name)
    best, *_ = [trial for _, trial in rank_trials(sealer.backend.observe(handle).trials)]
    read_trial_output(sealer.backend.fetch(handle, best.name, tmp_path / best.name))
    damage(RunDirectory(tmp_path / "runs" / ended.name).output(best.name) / "model.joblib")
    assert_refused(sealer, ended.name, best=best, why=r"model\.joblib")


def test_another_trials_output_is_refused(sealer: Sealer, ended: Handle, tmp_path: Path) -> None:
    handle = sealer.backend.handle(ended.name)
    best, other, *_ = [trial for _, trial in rank_trials(sealer.backend.observe(handle).trials)]
    run = RunDirectory(tmp_path / "runs" / ended.name)
    shutil.rmtree(run.output(best.name))
    shutil.copytree(run.output(other.name), run.output(best.name))
    assert_refused(sealer, ended.name, best=best, why="is not what was recorded of")


def test_an_interrupted_search_says_how_to_go_on(
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


def test_a_search_ends_when_its_time_is_used_up(
    backend: LocalBackend, inputs: Inputs, runs: Path
) -> None:
    budget = Budget(trials=1000, seconds=0.5)
    snapshot = wait_for_end(backend, submit(backend, experiment("short", budget=budget), inputs))
    assert snapshot.state is ExperimentState.SUCCEEDED
    assert 2 <= len(snapshot.trials) < 1000
    assert {trial.state for trial in snapshot.trials} == {TrialState.SUCCEEDED}
    assert f"after {len(snapshot.trials)} of 1000" in (snapshot.reason or "")
    assert models(RunDirectory(runs / "short")) == best_names(snapshot)


def test_damaged_inputs_end_the_search_with_the_reason(
    backend: LocalBackend, inputs: Inputs, tmp_path: Path
) -> None:
    copied = Inputs(path=tmp_path / inputs.digest, shared=inputs.shared)
    shutil.copytree(inputs.path, copied.path)
    copied.data.write_text("not the data")
    snapshot = wait_for_end(backend, submit(backend, experiment("damaged"), copied))
    assert snapshot.state is ExperimentState.FAILED
    assert "data.csv has the digest" in (snapshot.reason or "")


def test_a_pool_that_always_dies_is_given_up(
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


def test_a_disk_error_interrupts_the_search(
    backend: LocalBackend, inputs: Inputs, runs: Path
) -> None:
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
    pool = pool_of(RunDirectory(runs / "quiet"))
    assert alive(pool) != []
    backend.stop(handle)
    assert alive(pool) == []


def alive(group: int) -> list[str]:
    """Return the states of a group's processes, without those that only wait to be buried."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pgid=", "-o", "stat="], capture_output=True, text=True, check=True
    )
    processes = [line.split() for line in listed.stdout.splitlines()]
    return [state for of, state in processes if of == str(group) and not state.startswith("Z")]


def test_the_plan_is_a_shell_script(backend: LocalBackend, inputs: Inputs, tmp_path: Path) -> None:
    enqueued = ({"max_features": 0.5, "min_samples_leaf": 2},)
    space = SearchSpace(
        parameters=SMALL_FOREST.parameters, fixed={"n_estimators": 5}, enqueued=enqueued
    )
    script = str(backend.plan(experiment("printed", space=space), inputs=inputs, image=None))
    assert "-m housectl_trainer pool" in script
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@" >> "$OUTPUT"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    called = tmp_path / "called"
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "OUTPUT": str(called),
        "number": "1",
        "max_features": "0.25",
        "min_samples_leaf": "3",
    }
    subprocess.run(["sh", "-c", script], env=environment, check=True)
    first, pattern = called.read_text().splitlines()
    assert first.endswith("max_features=0.5 min_samples_leaf=2 n_estimators=5")
    assert "--output printed/0000 " in first
    assert pattern.endswith("n_estimators=5 max_features=0.25 min_samples_leaf=3")


def test_a_project_can_be_moved(inputs: Inputs, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    own = Inputs(path=before / "inputs" / inputs.digest, shared=inputs.shared)
    shutil.copytree(inputs.path, own.path)
    backend = LocalBackend(before / "runs")
    backend.stop(submit(backend, experiment("moved"), own))
    before.rename(after)
    moved = LocalBackend(after / "runs")
    handle = moved.handle("moved")
    moved.resume(handle)
    assert wait_for_end(moved, handle).state is ExperimentState.SUCCEEDED


def test_a_missing_library_is_named_before_anything_is_written(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(LocalEnvironmentError, match="sklearn") as caught:
        submit(LocalBackend(tmp_path / "runs"), experiment("libraries"), inputs)
    assert caught.value.hint == "pip install 'housectl[local]'"
    assert not (tmp_path / "runs").exists()
