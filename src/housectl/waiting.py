"""Waiting for experiments and tasks, on any backend."""

from collections.abc import Callable
from typing import Protocol

from housectl.backends.base import Backend, Handle, Snapshot, Task
from housectl.backends.messages import incompletely_deleted_error
from housectl.errors import ExperimentInterruptedError, NoUsableTrialError, UnknownExperimentError
from housectl.estimation.search_estimate import SearchEstimate
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
    """Receives the progress of long work, and warnings.

    While a command waits for an experiment or a task, it reports each snapshot.
    """

    def on_experiment(self, experiment: Experiment, snapshot: Snapshot) -> None:
        """Report a snapshot of an experiment."""

    def on_task(self, task: Task, snapshot: Snapshot, last_log_line: Callable[[], str]) -> None:
        """Report a snapshot of a task; `last_log_line` fetches the last line of its output."""

    def on_share(self, activity: str, share: float) -> None:
        """Report the finished share of an activity, from 0 to 1."""

    def on_estimate(self, estimate: SearchEstimate) -> None:
        """Report the estimate of a search before its start; there is none for small data."""

    def on_warning(self, message: str, hint: str) -> None:
        """Report a problem that does not fail the operation."""


class SilentProgress:
    """Reports nothing."""

    def on_experiment(self, experiment: Experiment, snapshot: Snapshot) -> None:
        """Ignore the snapshot."""

    def on_task(self, task: Task, snapshot: Snapshot, last_log_line: Callable[[], str]) -> None:
        """Ignore the snapshot."""

    def on_share(self, activity: str, share: float) -> None:
        """Ignore the share."""

    def on_estimate(self, estimate: SearchEstimate) -> None:
        """Ignore the estimate."""

    def on_warning(self, message: str, hint: str) -> None:
        """Ignore the warning."""


def wait_for_best_trial(backend: Backend, handle: Handle, progress: ProgressReporter) -> Trial:
    """Wait until an experiment ends, and return its best trial.

    Raises:
        UnknownExperimentError: The experiment was deleted.
        ExperimentInterruptedError: The experiment was stopped or interrupted.
        NoUsableTrialError: No trial is usable, or too many failed.
    """
    experiment = experiment_of(backend, handle)

    def report(snapshot: Snapshot) -> None:
        progress.on_experiment(experiment, snapshot)

    snapshot = wait_for_end(backend, handle, report)
    if snapshot.state is ExperimentState.DELETED:
        raise incompletely_deleted_error(handle.name)
    if snapshot.state in {ExperimentState.STOPPED, ExperimentState.INTERRUPTED}:
        raise ExperimentInterruptedError(
            f"The experiment {handle.name} is {snapshot.state}: {snapshot.reason}",
            hint=f"housectl tune --resume {handle.name}   # or use the finished trials: "
            f"housectl promote {handle.name}",
        )
    if snapshot.state is ExperimentState.FAILED:
        raise _no_usable_trial(handle, snapshot)
    return usable_trial(handle, snapshot)


def wait_for_end(backend: Backend, handle: Handle, report: Callable[[Snapshot], None]) -> Snapshot:
    """Report each snapshot until the experiment or task ends, and return the last one."""
    while True:
        snapshot = backend.observe(handle)
        report(snapshot)
        if snapshot.state.ended:
            return snapshot
        backend.wait(handle, snapshot, timeout=POLL_INTERVAL_SECONDS)


def experiment_of(backend: Backend, handle: Handle) -> Experiment:
    """Return the submitted experiment of a handle.

    Raises:
        UnknownExperimentError: The handle belongs to a task.
    """
    workload = backend.get_plan(handle).workload
    if isinstance(workload, Task):
        raise UnknownExperimentError(
            f"Experiment not found: {handle.name} is a task.", hint="housectl list"
        )
    return workload


def usable_trial(handle: Handle, snapshot: Snapshot) -> Trial:
    """Return the best trial so far.

    Raises:
        NoUsableTrialError: No trial has succeeded.
    """
    trial = best_trial(snapshot.trials)
    if trial is None:
        raise _no_usable_trial(handle, snapshot)
    return trial


def _no_usable_trial(handle: Handle, snapshot: Snapshot) -> NoUsableTrialError:
    failed = failed_trials(snapshot.trials)
    summary = failure_summary(snapshot.trials) if failed else "no trial has succeeded."
    return NoUsableTrialError(
        f"The experiment {handle.name} {snapshot.state}: {snapshot.reason or summary}",
        hint=f"housectl logs {handle.name} --trial {failed[0].name}"
        if failed
        else f"housectl status {handle.name}",
    )
