"""Trials of an experiment, made of Katib's trials. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime

from housectl.backends.katib.katib_objects import KatibTrial
from housectl.backends.katib.labels_and_paths import EXPERIMENT_LABEL, FAMILY_LABEL
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.contract.families import Family
from housectl.contract.metrics import PRUNED_AFTER
from housectl.contract.parameters import Assignment
from housectl.experiment import Experiment, Trial, TrialState
from housectl.search.katib_texts import read_assignment_texts, read_value, trial_number

TrialCause = Callable[[KatibTrial], str | None]
MakeTrial = Callable[[Experiment, int, KatibTrial, TrialCause], Trial]
KnownTrials = dict[str, tuple[KatibTrial, Trial]]
"""Trials with a result, by name, each with the object that it was made of."""

_STATES_WITH_RESULT = (TrialState.SUCCEEDED, TrialState.PRUNED)


def read_trials(
    experiment: Experiment,
    objects: ExperimentObjects,
    cause_of: TrialCause,
    known: KnownTrials | None = None,
) -> tuple[Trial, ...]:
    """Return all trials of an experiment, of every generation, in the order of their numbers.

    Args:
        experiment: The submitted experiment.
        objects: Its objects on the cluster.
        cause_of: Returns the cause if a trial has failed or is stuck, else None.
        known: Trials of earlier calls; those whose objects are the same are not made again.
    """
    number_trials = numbered_trials if objects.is_one_list else _by_creation
    make = _list_trial if objects.is_one_list else _family_trial(objects)
    known = {} if known is None else known
    trials = []
    for number, item in number_trials(experiment, objects.trials):
        former, trial = known.get(item.metadata.name, (None, None))
        if trial is None or former is not item or trial.number != number:
            trial = make(experiment, number, item, cause_of)
            if trial.state in _STATES_WITH_RESULT:
                known[trial.name] = item, trial
        trials.append(trial)
    return tuple(trials)


def trial_objective(trial: KatibTrial) -> float | None:
    """Return the objective of a trial; None if it has failed or has not ended."""
    return trial.objective if trial.has_succeeded else None


def numbered_trials(
    experiment: Experiment, trials: Iterable[KatibTrial]
) -> list[tuple[int, KatibTrial]]:
    """Return the trials with the numbers in their names, in the order of these numbers."""
    numbers = ((trial_number(experiment, trial.metadata.name), trial) for trial in trials)
    numbered = [(number, trial) for number, trial in numbers if number is not None]
    return sorted(numbered, key=lambda pair: pair[0])


def suggested_assignment(experiment: Experiment, number: int, trial: KatibTrial) -> Assignment:
    """Return the assignment of a trial that the algorithm `housectl` has suggested."""
    texts = {item.name: item.value for item in trial.spec.parameter_assignments}
    return read_assignment_texts(experiment, number, texts)


def timestamp(time: datetime | None) -> float | None:
    """Return a time as seconds since the epoch."""
    return None if time is None else time.timestamp()


def _list_trial(
    experiment: Experiment, number: int, trial: KatibTrial, cause_of: TrialCause
) -> Trial:
    """Return a trial of the algorithm `housectl`, whose number decides its family."""
    family = experiment.family_at_turn(number)
    assignment = suggested_assignment(experiment, number, trial)
    return _trial(number, family, assignment, trial, cause_of)


def _family_trial(objects: ExperimentObjects) -> MakeTrial:
    """Return the function that makes the trials of Katib's own algorithms."""
    families = {
        item.metadata.name: Family(item.metadata.labels[FAMILY_LABEL])
        for item in objects.sub_experiments
    }

    def make(experiment: Experiment, number: int, trial: KatibTrial, cause_of: TrialCause) -> Trial:
        family = families[trial.metadata.labels[EXPERIMENT_LABEL]]
        assignment = _assignment(experiment, family, trial)
        return _trial(number, family, assignment, trial, cause_of)

    return make


def _by_creation(
    _experiment: Experiment, trials: Iterable[KatibTrial]
) -> Iterable[tuple[int, KatibTrial]]:
    """Return the trials of Katib's own algorithms with numbers in the order of creation."""
    return enumerate(sorted(trials, key=_creation_order))


def _creation_order(trial: KatibTrial) -> tuple[float, str]:
    return timestamp(trial.metadata.creation_timestamp) or 0.0, trial.metadata.name


def _trial(
    number: int, family: Family, assignment: Assignment, trial: KatibTrial, cause_of: TrialCause
) -> Trial:
    mse = trial_objective(trial)
    pruned_after = None if mse is None else trial.metric(PRUNED_AFTER)
    if mse is not None:
        state = TrialState.SUCCEEDED if pruned_after is None else TrialState.PRUNED
    else:
        state = TrialState.FAILED if trial.has_ended else TrialState.RUNNING
    cause = cause_of(trial) if mse is None else None
    if state is TrialState.FAILED and cause is None:
        cause = _katib_message(trial)
    return Trial(
        number=number,
        name=trial.metadata.name,
        family=family,
        assignment=assignment,
        state=state,
        mse=mse,
        pruned_after=None if pruned_after is None else int(pruned_after),
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
