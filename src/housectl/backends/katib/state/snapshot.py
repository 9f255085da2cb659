"""From what a cluster has to a snapshot: the trials, and how the search stands. Pure."""

from collections.abc import Callable, Iterator, Sequence

from housectl.backends.base import Snapshot
from housectl.backends.katib.katib_objects import KatibExperiment
from housectl.backends.katib.state.cluster_objects import ExperimentObjects, TaskObjects
from housectl.backends.katib.state.generations import Generation, newest_generation
from housectl.backends.katib.state.trials import TrialCause, read_trials, seconds_of
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

ExperimentCause = Callable[[KatibExperiment], str | None]

_EXPLAINED = {ExperimentState.CREATED, ExperimentState.RUNNING, ExperimentState.FAILED}


def snapshot_of(
    experiment: Experiment,
    look: ExperimentObjects,
    *,
    trial_cause: TrialCause,
    member_cause: ExperimentCause,
) -> Snapshot:
    """Return how an experiment stands.

    Args:
        experiment: What was submitted.
        look: What the cluster has of it.
        trial_cause: Says why a trial failed or is stuck; None for one that gets on.
        member_cause: The same of a member.
    """
    trials = read_trials(experiment, look, trial_cause)
    newest = newest_generation(experiment, look)
    state = _state(newest, trials)
    if state.ended:
        # Katib lets trials go on that run when too many others have failed.
        trials = tuple(each for each in trials if each.state is not TrialState.RUNNING)
    warnings = (*_unfinished_warnings(look, experiment.name), *_optimum_warnings(look, trials))
    return Snapshot(
        state=state,
        trials=trials,
        reason=_cause(newest, state, member_cause) or _reason(experiment, newest, trials, state),
        warnings=warnings if state.ended else (),
        started=seconds_of(look.sub_experiments[0].metadata.creation_timestamp),
        finished=_finished(look) if state.ended else None,
    )


def task_snapshot_of(look: TaskObjects, cause: str | None) -> Snapshot:
    """Return how a task stands, and why if it does not get on."""
    job = look.jobs[0]
    state = ExperimentState.FAILED if job.has_failed else ExperimentState.SUCCEEDED
    if not job.has_ended:
        state = ExperimentState.RUNNING
    return Snapshot(
        state=state,
        reason=None if state is ExperimentState.SUCCEEDED else cause,
        started=seconds_of(job.metadata.creation_timestamp),
        finished=seconds_of(job.ended_at),
    )


def _state(newest: Generation, trials: Sequence[Trial]) -> ExperimentState:
    if STOPPED_BY_USER in newest.stop_reasons and newest.remaining:
        return ExperimentState.STOPPED
    if not all(member.has_ended for member in newest.active):
        return ExperimentState.RUNNING if trials else ExperimentState.CREATED
    if newest.missing and not newest.stop_reasons:
        return ExperimentState.INTERRUPTED
    failed = any(member.has_failed for member in newest.active)
    usable = best_trial(trials) is not None
    return ExperimentState.FAILED if failed or not usable else ExperimentState.SUCCEEDED


def _cause(newest: Generation, state: ExperimentState, member_cause: ExperimentCause) -> str | None:
    """Return why a member does not get on, or has failed, where that is still of interest."""
    if state not in _EXPLAINED:
        return None
    return next(filter(None, map(member_cause, newest.active)), None)


def _reason(
    experiment: Experiment, newest: Generation, trials: Sequence[Trial], state: ExperimentState
) -> str | None:
    if state is ExperimentState.STOPPED:
        return STOPPED
    if state is ExperimentState.INTERRUPTED:
        return (
            f"{' and '.join(each.name for each in newest.missing)} was never made: the command was "
            f"killed. To go on: housectl tune --resume {experiment.name}"
        )
    if newest.stop_reasons and len(trials) < experiment.budget.trials:
        return time_limit_reason(len(trials), experiment.budget)
    failed = state is ExperimentState.FAILED and failed_trials(trials)
    return failure_summary(trials) if failed else None


def _unfinished_warnings(look: ExperimentObjects, name: str) -> Iterator[str]:
    """Yield what could not be ended."""
    for member in look.sub_experiments:
        if not member.has_ended:
            yield (
                f"Katib has not ended {member.metadata.name}, as its algorithm gives no trial that "
                f"could fail; the algorithm's service runs on until: housectl delete {name}"
            )


def _optimum_warnings(look: ExperimentObjects, trials: Sequence[Trial]) -> Iterator[str]:
    """Yield where Katib's own optimum is not the best trial."""
    for member in look.sub_experiments:
        mine = {each.metadata.name for each in look.trials_of(member)}
        best = best_trial(each for each in trials if each.name in mine)
        # Katib takes a text for a low number.
        katibs = member.status.current_optimal_trial.best_trial_name
        if katibs and best and katibs != best.name and _differs(trials, katibs, best):
            yield (
                f"Katib takes {katibs} for the best trial of {member.metadata.name}; {best.name} "
                "has the lowest mse, and is used."
            )


def _differs(trials: Sequence[Trial], katibs: str, best: Trial) -> bool:
    """Return whether Katib's optimum is worse: of equals it may well name another one."""
    return all(each.mse != best.mse for each in trials if each.name == katibs)


def _finished(look: ExperimentObjects) -> float | None:
    """Return when the last member has ended that has."""
    return max(
        (end.timestamp() for each in look.sub_experiments if (end := each.ended_at)), default=None
    )
