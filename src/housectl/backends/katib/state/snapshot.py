"""Snapshots of experiments and tasks, made of their objects on the cluster. Pure."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from housectl.backends.base import Snapshot
from housectl.backends.katib.katib_objects import KatibExperiment
from housectl.backends.katib.state.cluster_objects import ExperimentObjects, TaskObjects
from housectl.backends.katib.state.generations import Generation, newest_generation
from housectl.backends.katib.state.trials import KnownTrials, TrialCause, read_trials, timestamp
from housectl.backends.katib.stop_marks import STOPPED_BY_USER
from housectl.backends.messages import STOPPED, time_limit_reason
from housectl.experiment import (
    Experiment,
    ExperimentState,
    Trial,
    TrialState,
    best_trial,
    failed_trials,
    failure_summary,
)

SearchCause = Callable[[Sequence[KatibExperiment]], str | None]

_STATES_WITH_CAUSE = {ExperimentState.CREATED, ExperimentState.RUNNING, ExperimentState.FAILED}


def experiment_snapshot(
    experiment: Experiment,
    objects: ExperimentObjects,
    *,
    trial_cause: TrialCause,
    search_cause: SearchCause,
    known: KnownTrials | None = None,
) -> Snapshot:
    """Return the snapshot of an experiment.

    Args:
        experiment: The submitted experiment.
        objects: Its objects on the cluster.
        trial_cause: Returns the cause if a trial has failed or is stuck, else None.
        search_cause: Returns the same for sub-experiments.
        known: Trials of earlier snapshots.
    """
    trials = read_trials(experiment, objects, trial_cause, known)
    newest = newest_generation(experiment, objects)
    state = search_state(newest, has_trials=bool(trials), usable=best_trial(trials) is not None)
    if state.ended:
        # Katib does not stop running trials when too many others have failed.
        trials = tuple(trial for trial in trials if trial.state is not TrialState.RUNNING)
    has_cause = state in _STATES_WITH_CAUSE and not newest.stopping
    cause = search_cause(newest.active) if has_cause else None
    return Snapshot(
        state=state,
        trials=trials,
        reason=cause or _reason(experiment, newest, trials, state),
        warnings=tuple(_warnings(experiment, objects, trials)) if state.ended else (),
        started=timestamp(objects.sub_experiments[0].metadata.creation_timestamp),
        finished=_finished(objects) if state.ended else None,
    )


def task_snapshot(objects: TaskObjects, cause: str | None) -> Snapshot:
    """Return the snapshot of a task, whose cause is None while it works."""
    job = objects.jobs[0]
    state = ExperimentState.FAILED if job.has_failed else ExperimentState.SUCCEEDED
    if not job.has_ended:
        state = ExperimentState.RUNNING
    return Snapshot(
        state=state,
        reason=None if state is ExperimentState.SUCCEEDED else cause,
        started=timestamp(job.metadata.creation_timestamp),
        finished=timestamp(job.ended_at),
    )


def deleted_snapshot(name: str, submitted: datetime | None) -> Snapshot:
    """Return the snapshot of an experiment or task of which some files or objects remain."""
    return Snapshot(
        state=ExperimentState.DELETED,
        reason=f"Its deletion is not complete. Hint: housectl delete {name}",
        started=timestamp(submitted),
    )


def search_state(newest: Generation, *, has_trials: bool, usable: bool) -> ExperimentState:
    """Return the state of an experiment.

    Args:
        newest: Its newest generation.
        has_trials: True if a trial has started.
        usable: True if a trial has succeeded.
    """
    if newest.stopping:
        return ExperimentState.RUNNING
    if STOPPED_BY_USER in newest.stop_reasons and newest.remaining:
        return ExperimentState.STOPPED
    if not all(sub_experiment.has_ended for sub_experiment in newest.active):
        return ExperimentState.RUNNING if has_trials else ExperimentState.CREATED
    if newest.missing and not newest.stop_reasons:
        return ExperimentState.INTERRUPTED
    failed = any(sub_experiment.has_failed for sub_experiment in newest.active)
    return ExperimentState.FAILED if failed or not usable else ExperimentState.SUCCEEDED


def _reason(
    experiment: Experiment, newest: Generation, trials: Sequence[Trial], state: ExperimentState
) -> str | None:
    if newest.stopping:
        names = " and ".join(item.metadata.name for item in newest.stopping)
        return (
            f"Its stop is not complete: Katib still runs {names}. "
            f"Hint: housectl stop {experiment.name}"
        )
    if state is ExperimentState.STOPPED:
        return STOPPED
    if state is ExperimentState.INTERRUPTED:
        names = " and ".join(sub_experiment.name for sub_experiment in newest.missing)
        return (
            f"The command was killed before it created {names}. Resume with: housectl tune "
            f"--resume {experiment.name}"
        )
    if newest.stop_reasons and len(trials) < experiment.budget.trials:
        return time_limit_reason(len(trials), experiment.budget)
    failed = state is ExperimentState.FAILED and failed_trials(trials)
    return failure_summary(trials) if failed else None


def _warnings(
    experiment: Experiment, objects: ExperimentObjects, trials: Sequence[Trial]
) -> Iterator[str]:
    yield from _unfinished_warnings(objects, experiment.name)
    yield from _optimum_warnings(objects, trials)


def _unfinished_warnings(objects: ExperimentObjects, name: str) -> Iterator[str]:
    """Yield a warning for each sub-experiment that Katib did not end."""
    for sub_experiment in objects.sub_experiments:
        if not sub_experiment.has_ended:
            yield (
                f"Katib did not end {sub_experiment.metadata.name}, because its algorithm suggests "
                "no trial that could fail. The algorithm's service runs until: housectl delete "
                f"{name}"
            )


def _optimum_warnings(objects: ExperimentObjects, trials: Sequence[Trial]) -> Iterator[str]:
    """Yield a warning for each sub-experiment whose optimum is not its best trial."""
    for sub_experiment in objects.sub_experiments:
        names = {trial.metadata.name for trial in objects.trials_of(sub_experiment)}
        best = best_trial(trial for trial in trials if trial.name in names)
        # Katib treats text as a low number.
        optimum = sub_experiment.status.current_optimal_trial.best_trial_name
        if optimum and best and optimum != best.name and _differs(trials, optimum, best):
            yield (
                f"Katib reports {optimum} as the best trial of {sub_experiment.metadata.name}, but "
                f"{best.name} has the lowest mse. housectl uses {best.name}."
            )


def _differs(trials: Sequence[Trial], optimum: str, best: Trial) -> bool:
    """Return True if Katib's optimum is worse; of equal trials, Katib may report any."""
    return all(trial.mse != best.mse for trial in trials if trial.name == optimum)


def _finished(objects: ExperimentObjects) -> float | None:
    """Return the time at which the last sub-experiment ended."""
    ends = (timestamp(item.ended_at) for item in objects.sub_experiments)
    return max((end for end in ends if end is not None), default=None)
