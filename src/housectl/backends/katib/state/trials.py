"""From Katib's trials to ours. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime

from housectl.backends.katib.katib_objects import KatibTrial
from housectl.backends.katib.naming import EXPERIMENT_LABEL
from housectl.backends.katib.plan.sub_experiments import family_of
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.contract.families import Family
from housectl.contract.parameters import Assignment, Value
from housectl.experiment import Experiment, Parameter, ParameterKind, Trial, TrialState

TrialCause = Callable[[KatibTrial], str | None]


def read_trials(
    experiment: Experiment, look: ExperimentObjects, cause_of: TrialCause
) -> tuple[Trial, ...]:
    """Return all trials of an experiment, of every round, in their order.

    Args:
        experiment: What was submitted.
        look: What the cluster has of it.
        cause_of: Says why a trial failed or is stuck; None for one that gets on.
    """
    families = {member.metadata.name: family_of(member) for member in look.sub_experiments}
    return tuple(
        _trial(experiment, number, families[each.metadata.labels[EXPERIMENT_LABEL]], each, cause_of)
        for number, each in enumerate(_in_order(look.trials))
    )


def seconds_of(time: datetime | None) -> float | None:
    """Return a time of the cluster's as seconds since 1970."""
    return None if time is None else time.timestamp()


def _in_order(trials: Iterable[KatibTrial]) -> list[KatibTrial]:
    """Return trials in the order in which they were made, which gives them their numbers."""
    return sorted(
        trials, key=lambda each: (str(each.metadata.creation_timestamp), each.metadata.name)
    )


def _trial(
    experiment: Experiment,
    number: int,
    family: Family,
    trial: KatibTrial,
    cause_of: TrialCause,
) -> Trial:
    mse = trial.objective if trial.has_succeeded else None
    state = TrialState.FAILED if mse is None else TrialState.SUCCEEDED
    if not trial.has_ended:
        state = TrialState.RUNNING
    cause = None if state is TrialState.SUCCEEDED else cause_of(trial)
    if state is TrialState.FAILED and cause is None:
        cause = _katib_message(trial)
    return Trial(
        number=number,
        name=trial.metadata.name,
        family=family,
        assignment=_assignment(experiment, family, trial),
        state=state,
        mse=mse,
        cause=cause,
        started=seconds_of(trial.status.start_time or trial.metadata.creation_timestamp),
        finished=None if state is TrialState.RUNNING else seconds_of(trial.status.completion_time),
    )


def _katib_message(trial: KatibTrial) -> str:
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
