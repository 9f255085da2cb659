"""The trials of a request: their assignments, and the objectives of those that ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite, nan

import grpc

from housectl.contract.parameters import Assignment
from housectl.experiment import Experiment
from housectl.search.katib_texts import SearchSetting, read_assignment_texts, trial_number
from housectl_suggestion.request_error import RequestError
from housectl_suggestion.suggestion_pb2 import Trial, TrialStatus

# Katib does not name the state of a trial that it has just created.
_NOT_ENDED = {TrialStatus.CREATED, TrialStatus.RUNNING, TrialStatus.UNKNOWN}


@dataclass(kw_only=True)
class TrialHistory:
    """The known trials of a search, by number.

    A trial that is neither running nor has an objective failed.

    Attributes:
        assignments: Assignments of all known trials.
        objectives: Objectives of the trials that have one.
        running: Numbers of the trials that have not ended.
    """

    assignments: dict[int, Assignment] = field(default_factory=dict)
    objectives: dict[int, float] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)


def read_history(setting: SearchSetting, trials: Iterable[Trial], *, metric: str) -> TrialHistory:
    """Return the trials of a request, and those that ended before the search was resumed.

    Args:
        setting: The search.
        trials: Trials of the request; those without a number are not of this search.
        metric: Name of the objective.

    Raises:
        RequestError: Two trials have the same name, or an assignment is invalid.
    """
    history = TrialHistory()
    for earlier in setting.earlier:
        history.assignments[earlier.number] = earlier.assignment
        if earlier.mse is not None:
            history.objectives[earlier.number] = earlier.mse
    for trial in trials:
        number = trial_number(setting.experiment, trial.name)
        if number is not None:
            _require_new(history, number, trial.name)
            history.assignments[number] = _assignment(setting.experiment, number, trial)
            _add_result(history, number, trial, metric=metric)
    return history


def _add_result(history: TrialHistory, number: int, trial: Trial, *, metric: str) -> None:
    condition = trial.status.condition
    objective = _objective(trial, metric=metric)
    if condition in _NOT_ENDED:
        history.running.add(number)
    elif condition == TrialStatus.SUCCEEDED and isfinite(objective):
        history.objectives[number] = objective


def _require_new(history: TrialHistory, number: int, name: str) -> None:
    if number in history.assignments:
        raise RequestError(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"Two trials have the name {name}: Katib mixes the trials of experiments of the same "
            "name in different namespaces.",
            hint="kubectl get experiments.kubeflow.org -A   # delete one of the two",
        )


def _assignment(experiment: Experiment, number: int, trial: Trial) -> Assignment:
    texts = {each.name: each.value for each in trial.spec.parameter_assignments.assignments}
    try:
        return read_assignment_texts(experiment, number, texts)
    except (KeyError, ValueError, OverflowError) as error:
        raise RequestError(
            grpc.StatusCode.INVALID_ARGUMENT,
            f"The assignment of trial {trial.name} is invalid: {error}.",
            hint=f"kubectl get trials.kubeflow.org -A | grep {trial.name}   # delete this trial",
        ) from error


def _objective(trial: Trial, *, metric: str) -> float:
    texts = {each.name: each.value for each in trial.status.observation.metrics}
    try:
        return float(texts.get(metric, ""))
    except ValueError:
        return nan
