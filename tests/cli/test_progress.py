"""Progress of a waiting command on a stderr that is no terminal."""

import re
from pathlib import Path

import pytest

from housectl import Snapshot, Task
from housectl.backends.base import TaskKind
from housectl.cli import formatting, progress
from housectl.cli.progress import PlainProgress
from housectl.contract.families import Family
from housectl.estimation.search_estimate import FamilyEstimate, SearchEstimate
from housectl.experiment import ExperimentState
from tests.clock import Clock
from tests.spaces import GOOD
from tools.project_directory import example

TASK = Task(name="first-seal-1", kind=TaskKind.SEAL, family=Family.RANDOM_FOREST, assignment={})
RUNNING = Snapshot(state=ExperimentState.RUNNING)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_task_is_reported_after_two_seconds_and_then_every_ten(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = PlainProgress()
    for second in range(30):
        clock.now = 1000.0 + second
        log = f"fit {second} of 55" if second >= 5 else ""
        reporter.on_task(TASK, RUNNING, lambda log=log: log)
    assert capsys.readouterr().err.splitlines() == [
        "first-seal-1: starting",
        "first-seal-1: fit 6 of 55",
        "first-seal-1: fit 16 of 55",
        "first-seal-1: fit 26 of 55",
    ]


def test_share_is_reported_with_the_remaining_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(formatting, "time", clock)
    reporter = PlainProgress()
    for done in range(21):
        clock.now = 1000.0 + done
        reporter.on_share("store copy", done / 20)
    assert capsys.readouterr().err.splitlines() == [
        "store copy: 10%, about 18 s left",
        "store copy: 60%, about 8 s left",
    ]


def test_work_without_a_finished_part_is_reported_without_the_remaining_time(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = PlainProgress()
    for second in (0, 3):
        clock.now = 1000.0 + second
        reporter.on_share("store copy", 0.0)
    assert capsys.readouterr().err == "store copy: 0%\n"


def test_warning_is_printed_with_its_completed_hint(capsys: pytest.CaptureFixture[str]) -> None:
    PlainProgress(lambda hint: f"{hint} -C houses").on_warning("Too late.", "housectl history")
    assert capsys.readouterr().err == "warning: Too late.\nhint:    housectl history -C houses\n"


@pytest.mark.slow
def test_tune_announces_the_time_of_set_up_and_of_sealing(tmp_path: Path) -> None:
    project = example(
        ".", tmp_path / "boston", space={**GOOD, "n_estimators": 200}, budget={"trials": 1}
    )
    err = project.run_ok("tune", "--name", "one").err
    assert err.startswith("Preparing one: about 2 s.\none is running; Ctrl-C detaches from it.\n")
    assert re.search(r"^one-seal-0: (55 fits, about|fit \d+ of 55, about) \d+ s", err, re.MULTILINE)


def test_estimate_is_reported_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    families = {Family.XGBOOST: FamilyEstimate(trials=9, trial_seconds=3.0, largest_model=0.0)}
    PlainProgress().on_estimate(SearchEstimate(families=families, parallel=1))
    assert "One trial takes about: xgboost 3 s" in capsys.readouterr().err
