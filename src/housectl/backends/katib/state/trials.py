"""Trials of an experiment, made of Katib's trials. Pure."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from housectl.backends.katib.katib_objects import KatibTrial
from housectl.backends.katib.labels_and_paths import EXPERIMENT_LABEL
from housectl.backends.katib.plan.sub_experiments import family_of
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.contract.families import Family
from housectl.contract.metrics import PRUNED_AFTER
from housectl.contract.parameters import Assignment
from housectl.experiment import Experiment, Trial, TrialState
from housectl.search.katib_texts import read_assignment_texts, read_value, trial_number

TrialCause = Callable[[KatibTrial], str | None]


def read_trials(
    experiment: Experiment, objects: ExperimentObjects, cause_of: TrialCause
) -> tuple[Trial, ...]:
    """Return all trials of an experiment, of every generation, in the order of their numbers.

    Args:
        experiment: The submitted experiment.
        objects: Its objects on the cluster.
        cause_of: Returns the cause if a trial has failed or is stuck, else None.
    """
    read = _numbered if objects.is_one_list else _by_creation
    return tuple(read(experiment, objects, cause_of))


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


def _numbered(
    experiment: Experiment, objects: ExperimentObjects, cause_of: TrialCause
) -> Iterator[Trial]:
    for number, trial in numbered_trials(experiment, objects.trials):
        family = experiment.family_at_turn(number)
        assignment = suggested_assignment(experiment, number, trial)
        yield _trial(number, family, assignment, trial, cause_of)


def _by_creation(
    experiment: Experiment, objects: ExperimentObjects, cause_of: TrialCause
) -> Iterator[Trial]:
    """Yield the trials of Katib's own algorithms, whose order of creation decides their numbers."""
    families = {item.metadata.name: family_of(item) for item in objects.sub_experiments}
    for number, trial in enumerate(sorted(objects.trials, key=_creation_order)):
        family = families[trial.metadata.labels[EXPERIMENT_LABEL]]
        yield _trial(number, family, _assignment(experiment, family, trial), trial, cause_of)


def _creation_order(trial: KatibTrial) -> tuple[str, str]:
    return str(trial.metadata.creation_timestamp), trial.metadata.name


def _trial(
    number: int, family: Family, assignment: Assignment, trial: KatibTrial, cause_of: TrialCause
) -> Trial:
    state = _state(trial)
    has_result = state in {TrialState.SUCCEEDED, TrialState.PRUNED}
    cause = None if has_result else cause_of(trial)
    if state is TrialState.FAILED and cause is None:
        cause = _katib_message(trial)
    return Trial(
        number=number,
        name=trial.metadata.name,
        family=family,
        assignment=assignment,
        state=state,
        mse=trial_objective(trial),
        pruned_after=_pruned_after(trial) if state is TrialState.PRUNED else None,
        cause=cause,
        started=timestamp(trial.status.start_time or trial.metadata.creation_timestamp),
        finished=None if state is TrialState.RUNNING else timestamp(trial.status.completion_time),
    )


def _state(trial: KatibTrial) -> TrialState:
    if not trial.has_ended:
        return TrialState.RUNNING
    if trial_objective(trial) is None:
        return TrialState.FAILED
    return TrialState.SUCCEEDED if _pruned_after(trial) is None else TrialState.PRUNED


def _pruned_after(trial: KatibTrial) -> int | None:
    folds = trial.metric(PRUNED_AFTER)
    return None if folds is None else int(folds)


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
