"""Searches with many workers and many trials: busy workers, and CPU time of commands."""

import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmarks.measurement import Direction, Measurement, log
from benchmarks.workbench import open_project
from housectl.backends.local.experiment_runner import ExperimentRunner
from housectl.backends.local.records import RunOutcome, TrialRecord
from housectl.backends.local.restarting_pool import RestartingPool
from housectl.backends.local.run_directory import RunDirectory
from housectl.backends.local.submission import create_run
from housectl.experiment import Experiment, ExperimentState, Trial, TrialState
from tools.project_directory import HOUSECTL

_WORKERS = 64
_TRIALS_PER_WORKER = 4
_SECONDS_PER_TRIAL = 5.0
_RECORDED = 10_000
_COMMANDS = (("status", "many"), ("list",), ("tune", "--resume", "many"))
_ROUNDS = 5
_PYTHON: tuple[str, ...] = ("python",)


def measure(project: Path) -> list[Measurement]:
    """Run sleeping trials on many workers, and commands on many recorded trials."""
    return [_busy_share(project), *_cpu_times(project)]


def _busy_share(project: Path) -> Measurement:
    trials = _WORKERS * _TRIALS_PER_WORKER
    log(f"many workers: {trials} trials that sleep {_SECONDS_PER_TRIAL} s")
    settings = {"workers": _WORKERS, "budget.trials": trials, "family": "auto", "space": "wide"}
    context = open_project(project, settings).context
    experiment, inputs = context.config.experiment("sleeping"), context.write_inputs()
    run = create_run(context.workspace.runs / "sleeping", experiment, inputs=inputs.digest)
    arguments = ["-m", "benchmarks.sleeping_pool", str(inputs.path), str(_SECONDS_PER_TRIAL)]
    with closing(RestartingPool(run, arguments)) as workers:
        ExperimentRunner(run, experiment, workers, parallel=_WORKERS).run()
    finished = run.journal().trials()
    # Before the first end, the pool imports libraries; after the last start, workers run out.
    begin = min(each.finished or 0.0 for each in finished)
    end = max(each.started or 0.0 for each in finished)
    busy = sum(_sleep_within(begin, end, finished=each.finished or 0.0) for each in finished)
    return Measurement(
        name=f"{_WORKERS} workers with trials that only sleep: busy share of their time",
        ratio=busy / (_WORKERS * (end - begin)),
        goal=0.95,
        better=Direction.HIGHER,
        detail=f"{trials} trials of {_SECONDS_PER_TRIAL:.0f} s; {end - begin:.1f} s were measured",
    )


def _sleep_within(begin: float, end: float, *, finished: float) -> float:
    """Return the seconds between two times during which a trial was asleep."""
    return max(0.0, min(finished, end) - max(finished - _SECONDS_PER_TRIAL, begin))


def _cpu_times(project: Path) -> list[Measurement]:
    log(f"many trials: commands on {_RECORDED} recorded ones")
    context = open_project(project, {"budget.trials": _RECORDED}).context
    experiment, inputs = context.config.experiment("many"), context.write_inputs()
    run = create_run(context.workspace.runs / "many", experiment, inputs=inputs.digest)
    _record_trials(run, experiment, trials=1)
    one = _best_times(project)
    _record_trials(run, experiment, trials=_RECORDED)
    many = _best_times(project)
    return [
        Measurement(
            name=f"housectl {command[0]}, {_RECORDED} recorded trials: CPU ms over python -c pass",
            ratio=milliseconds - many[_PYTHON],
            goal=300.0,
            better=Direction.LOWER,
            detail=f"{milliseconds:.0f} against {many[_PYTHON]:.0f} ms, best of {_ROUNDS}; "
            f"{one[command]:.0f} ms with one trial",
            unit="ms",
        )
        for command, milliseconds in many.items()
        if command != _PYTHON
    ]


def _best_times(project: Path) -> dict[tuple[str, ...], float]:
    """Return the CPU time of Python itself and of each command, in ms."""
    commands: dict[tuple[str, ...], tuple[str, ...]] = {
        _PYTHON: (sys.executable, "-c", "pass"),
        **{command: (str(HOUSECTL), *command) for command in _COMMANDS},
    }
    rounds = [
        {name: _cpu_milliseconds(command, project) for name, command in commands.items()}
        for _ in range(_ROUNDS)
    ]
    return {name: min(each[name] for each in rounds) for name in commands}


def _record_trials(run: RunDirectory, experiment: Experiment, *, trials: int) -> None:
    """Record a search that has failed, so that `tune --resume` ends when it has read the trials."""
    journal = run.journal()
    family = experiment.families_in_turn[0]
    assignment = {
        **experiment.spaces[family].fixed,
        "max_features": 0.1234567,
        "min_samples_leaf": 3,
    }
    for number in range(trials):
        trial = Trial(
            number=number,
            name=f"{number:04}",
            family=family,
            assignment=assignment,
            state=TrialState.RUNNING,
            started=float(number),
        )
        journal.append(TrialRecord(trial=trial), durable=False)
        mse = 10 + number % 97 / 7
        ended = replace(trial, state=TrialState.SUCCEEDED, mse=mse, finished=number + 0.5)
        journal.append(TrialRecord(trial=ended, fold_mses=(mse,) * 5), durable=False)
    state, reason = ExperimentState.FAILED, "Recorded for a benchmark."
    run.record_outcome(RunOutcome(state=state, reason=reason, finished=time.time()))


def _cpu_milliseconds(command: tuple[str, ...], directory: Path) -> float:
    """Return the CPU time of a process, which may fail."""
    process = subprocess.Popen(
        command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return 1000 * (usage.ru_utime + usage.ru_stime)
