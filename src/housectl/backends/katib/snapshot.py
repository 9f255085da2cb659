"""From what a cluster has to a snapshot: the trials, and how the search stands. Pure."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from housectl.backends.base import Snapshot
from housectl.backends.katib.attempts import (
    family_of,
    missing_members,
    newest_attempt,
    newest_members,
)
from housectl.backends.katib.layout import EXPERIMENT_LABEL, STOPPED_ANNOTATION
from housectl.backends.katib.look import ExperimentLook, TaskLook
from housectl.contract.recipe import Assignment, Family, Value
from housectl.diagnosis.objects import KatibExperiment, KatibTrial
from housectl.experiment import (
    Experiment,
    ExperimentState,
    Parameter,
    ParameterKind,
    Trial,
    TrialState,
    best_trial,
    failed_trials,
    failure_summary,
)

TrialCause = Callable[[KatibTrial], str | None]
MemberCause = Callable[[KatibExperiment], str | None]

BY_USER, BY_TIME = "by the user", "its time was up"


def snapshot_of(
    experiment: Experiment,
    look: ExperimentLook,
    *,
    trial_cause: TrialCause,
    member_cause: MemberCause,
) -> Snapshot:
    """Return how an experiment stands.

    Args:
        experiment: What was submitted.
        look: What the cluster has of it.
        trial_cause: Says why a trial failed or is stuck; None for one that gets on.
        member_cause: The same of a member.
    """
    trials = _trials(experiment, look, trial_cause)
    state = _state(experiment, look, trials)
    if state.ended:
        # Katib lets trials go on that run when too many others have failed.
        trials = tuple(each for each in trials if each.state is not TrialState.RUNNING)
    return Snapshot(
        state=state,
        trials=trials,
        reason=_reason(experiment, look, trials, state, member_cause),
        warnings=tuple(_warnings(experiment, look, trials)) if state.ended else (),
        started=_seconds(look.members[0].metadata.creation_timestamp),
        finished=_finished(look) if state.ended else None,
    )


def task_snapshot_of(look: TaskLook, cause: str | None) -> Snapshot:
    """Return how a task stands, and why if it does not get on."""
    job = look.jobs[0]
    state = ExperimentState.FAILED if job.has_failed else ExperimentState.SUCCEEDED
    if not job.has_ended:
        state = ExperimentState.RUNNING
    return Snapshot(
        state=state,
        reason=None if state is ExperimentState.SUCCEEDED else cause,
        started=_seconds(job.metadata.creation_timestamp),
        finished=_seconds(job.ended_at),
    )


def _in_order(trials: Iterable[KatibTrial]) -> list[KatibTrial]:
    """Return trials in the order in which they were made, which gives them their numbers."""
    return sorted(
        trials, key=lambda each: (str(each.metadata.creation_timestamp), each.metadata.name)
    )


def _trials(
    experiment: Experiment, look: ExperimentLook, trial_cause: TrialCause
) -> tuple[Trial, ...]:
    families = {member.metadata.name: family_of(member) for member in look.members}
    return tuple(
        _trial(
            experiment, number, families[each.metadata.labels[EXPERIMENT_LABEL]], each, trial_cause
        )
        for number, each in enumerate(_in_order(look.trials))
    )


def _trial(
    experiment: Experiment,
    number: int,
    family: Family,
    trial: KatibTrial,
    trial_cause: TrialCause,
) -> Trial:
    mse = trial.objective if trial.has_succeeded else None
    state = TrialState.FAILED if mse is None else TrialState.SUCCEEDED
    if not trial.has_ended:
        state = TrialState.RUNNING
    cause = None if state is TrialState.SUCCEEDED else trial_cause(trial)
    if state is TrialState.FAILED and cause is None:
        cause = _told(trial)
    return Trial(
        number=number,
        name=trial.metadata.name,
        family=family,
        assignment=_assignment(experiment, family, trial),
        state=state,
        mse=mse,
        cause=cause,
        started=_seconds(trial.status.start_time or trial.metadata.creation_timestamp),
        finished=None if state is TrialState.RUNNING else _seconds(trial.status.completion_time),
    )


def _told(trial: KatibTrial) -> str:
    return trial.end.message if trial.end and not trial.has_succeeded else "it has no objective"


def _assignment(experiment: Experiment, family: Family, trial: KatibTrial) -> Assignment:
    space = experiment.spaces[family]
    given = {each.name: each.value for each in trial.spec.parameter_assignments}
    chosen = {
        parameter.name: _value(parameter, given[parameter.name])
        for parameter in space.parameters
        if parameter.name in given
    }
    return {**space.fixed, **chosen}


def _value(parameter: Parameter, text: str) -> Value:
    match parameter.kind:
        case ParameterKind.INT:
            return int(float(text))
        case ParameterKind.DOUBLE:
            return float(text)
        case ParameterKind.CATEGORICAL:
            known = {str(choice): choice for choice in parameter.choices}
            return known.get(text, text)


def _state(
    experiment: Experiment, look: ExperimentLook, trials: Sequence[Trial]
) -> ExperimentState:
    newest = newest_members(look)
    if BY_USER in map(_stopped, newest):
        return ExperimentState.STOPPED
    if not all(each.has_ended or _stopped(each) for each in newest):
        return ExperimentState.RUNNING if trials else ExperimentState.CREATED
    if _missing(experiment, look) and not any(map(_stopped, newest)):
        return ExperimentState.INTERRUPTED
    failed = any(each.has_failed and not _stopped(each) for each in newest)
    usable = best_trial(trials) is not None
    return ExperimentState.FAILED if failed or not usable else ExperimentState.SUCCEEDED


def _reason(
    experiment: Experiment,
    look: ExperimentLook,
    trials: Sequence[Trial],
    state: ExperimentState,
    member_cause: MemberCause,
) -> str | None:
    if state is ExperimentState.STOPPED:
        return "It was stopped."
    if state is ExperimentState.INTERRUPTED:
        return (
            f"{' and '.join(_missing(experiment, look))} was never made: the command was killed. "
            f"To go on: housectl tune --resume {experiment.name}"
        )
    if state is not ExperimentState.SUCCEEDED:
        own = (member_cause(each) for each in newest_members(look) if not _stopped(each))
        if known := next(filter(None, own), None):
            return known
    if any(map(_stopped, newest_members(look))) and len(trials) < experiment.budget.trials:
        return f"Its time was used up after {len(trials)} of {experiment.budget.trials} trials."
    failed = state is ExperimentState.FAILED and failed_trials(trials)
    return failure_summary(trials) if failed else None


def _stopped(member: KatibExperiment) -> str | None:
    """Return why a member was ended before its end, if it was."""
    return member.metadata.annotations.get(STOPPED_ANNOTATION)


def _missing(experiment: Experiment, look: ExperimentLook) -> list[str]:
    """Return the names of what the newest attempt should have, and has not."""
    missing = missing_members(experiment, look, attempt=newest_attempt(look))
    return [member.name for member in missing]


def _warnings(
    experiment: Experiment, look: ExperimentLook, trials: Sequence[Trial]
) -> Iterable[str]:
    """Yield where Katib's own optimum is not the best trial, and what it could not end."""
    members = {each.metadata.name: each.metadata.labels[EXPERIMENT_LABEL] for each in look.trials}
    for member in look.members:
        name = member.metadata.name
        best = best_trial(each for each in trials if members[each.name] == name)
        if not member.has_ended:
            yield (
                f"Katib has not ended {name}, as its algorithm gives no trial that could fail; the "
                f"algorithm's service runs on until: housectl delete {experiment.name}"
            )
        # Katib takes a text for a low number.
        katibs = member.status.current_optimal_trial.best_trial_name
        if katibs and best and katibs != best.name and _differs(trials, katibs, best):
            yield (
                f"Katib takes {katibs} for the best trial of {name}; {best.name} has the lowest "
                "mse, and is used."
            )


def _differs(trials: Sequence[Trial], katibs: str, best: Trial) -> bool:
    """Return whether Katib's optimum is worse: of equals it may well name another one."""
    return all(each.mse != best.mse for each in trials if each.name == katibs)


def _finished(look: ExperimentLook) -> float | None:
    """Return when the last member has ended that has."""
    return max((end.timestamp() for each in look.members if (end := each.ended_at)), default=None)


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
