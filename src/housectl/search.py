"""From an experiment to its best trial, on any backend."""

from collections.abc import Callable
from typing import Protocol

from housectl.backends.base import Backend, Handle, Snapshot, Task
from housectl.errors import ExperimentInterruptedError, NoUsableTrialError, UnknownExperimentError
from housectl.experiment import (
    Experiment,
    ExperimentState,
    Trial,
    best_trial,
    failed_trials,
    failure_summary,
)

POLL_INTERVAL_SECONDS = 1.0


class ProgressReporter(Protocol):
    """Is told what happens while a command waits."""

    def on_experiment(self, experiment: Experiment, snapshot: Snapshot) -> None:
        """An experiment was looked at."""

    def on_task(self, task: Task, snapshot: Snapshot, last_log_line: Callable[[], str]) -> None:
        """A task was looked at; `said` looks for the last line that it printed."""


def wait_for_best_trial(backend: Backend, handle: Handle, progress: ProgressReporter) -> Trial:
    """Wait until an experiment has ended, and return its best trial.

    Raises:
        ExperimentStoppedError: It was stopped or interrupted before its end.
        NoTrialError: No trial can be used, or too many failed.
    """
    experiment = experiment_of(backend, handle)
    snapshot = wait_for_end(backend, handle, lambda seen: progress.on_experiment(experiment, seen))
    if snapshot.state in {ExperimentState.STOPPED, ExperimentState.INTERRUPTED}:
        raise ExperimentInterruptedError(
            f"The experiment {handle.name} is {snapshot.state}: {snapshot.reason}",
            hint=f"housectl tune --resume {handle.name}   # or use what it has: "
            f"housectl promote {handle.name}",
        )
    if snapshot.state is ExperimentState.FAILED:
        raise _no_trial(handle, snapshot)
    return usable_trial(handle, snapshot)


def wait_for_end(backend: Backend, handle: Handle, report: Callable[[Snapshot], None]) -> Snapshot:
    """Report each look at an experiment or a task, and return the last one, when it has ended."""
    while True:
        snapshot = backend.observe(handle)
        report(snapshot)
        if snapshot.state.ended:
            return snapshot
        backend.wait(handle, snapshot, timeout=POLL_INTERVAL_SECONDS)


def experiment_of(backend: Backend, handle: Handle) -> Experiment:
    """Return the experiment that was submitted under this handle.

    Raises:
        UnknownExperimentError: It is a task.
    """
    work = backend.get_plan(handle).workload
    if isinstance(work, Task):
        raise UnknownExperimentError(
            f"{handle.name} is a task, not an experiment.", hint="housectl list"
        )
    return work


def usable_trial(handle: Handle, snapshot: Snapshot) -> Trial:
    """Return the best trial so far.

    Raises:
        NoTrialError: None has succeeded.
    """
    trial = best_trial(snapshot.trials)
    if trial is None:
        raise _no_trial(handle, snapshot)
    return trial


def _no_trial(handle: Handle, snapshot: Snapshot) -> NoUsableTrialError:
    failed = failed_trials(snapshot.trials)
    nothing = failure_summary(snapshot.trials) if failed else "no trial has succeeded."
    return NoUsableTrialError(
        f"The experiment {handle.name} {snapshot.state}: {snapshot.reason or nothing}",
        hint=f"housectl logs {handle.name} --trial {failed[0].name}"
        if failed
        else f"housectl status {handle.name}",
    )
