"""Trials of an experiment, made of Katib's trials. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime

from housectl.backends.katib.katib_objects import KatibTrial
from housectl.backends.katib.labels_and_paths import EXPERIMENT_LABEL
from housectl.backends.katib.plan.sub_experiments import family_of
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.contract.families import Family
from housectl.contract.parameters import Assignment
from housectl.experiment import Experiment, Trial, TrialState
from housectl.search.katib_texts import read_value

TrialCause = Callable[[KatibTrial], str | None]


def read_trials(
    experiment: Experiment, objects: ExperimentObjects, cause_of: TrialCause
) -> tuple[Trial, ...]:
    """Return all trials of an experiment, of every generation, in the order of creation.

    Args:
        experiment: The submitted experiment.
        objects: Its objects on the cluster.
        cause_of: Returns the cause if a trial has failed or is stuck, else None.
    """
    families = {item.metadata.name: family_of(item) for item in objects.sub_experiments}
    return tuple(
        _trial(experiment, number, families[item.metadata.labels[EXPERIMENT_LABEL]], item, cause_of)
        for number, item in enumerate(_by_creation(objects.trials))
    )


def timestamp(time: datetime | None) -> float | None:
    """Return a time as seconds since the epoch."""
    return None if time is None else time.timestamp()


def _by_creation(trials: Iterable[KatibTrial]) -> list[KatibTrial]:
    """Return trials in the order of creation, which determines their numbers."""
    return sorted(
        trials, key=lambda trial: (str(trial.metadata.creation_timestamp), trial.metadata.name)
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
        started=timestamp(trial.status.start_time or trial.metadata.creation_timestamp),
        finished=None if state is TrialState.RUNNING else timestamp(trial.status.completion_time),
    )


def _katib_message(trial: KatibTrial) -> str:
    return trial.end.message if trial.end and not trial.has_succeeded else "no objective"


def _assignment(experiment: Experiment, family: Family, trial: KatibTrial) -> Assignment:
    space = experiment.spaces[family]
    texts = {item.name: item.value for item in trial.spec.parameter_assignments}
    values = {
        parameter.name: read_value(parameter, texts[parameter.name])
        for parameter in space.parameters
        if parameter.name in texts
    }
    return {**space.fixed, **values}
