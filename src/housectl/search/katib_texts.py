"""Suggestions and searches as the texts that Katib carries between client, service and trial.

The service of the algorithm `housectl` has no memory. Each request contains the search, and all
trials with their assignments.
"""

from collections.abc import Mapping

from housectl.contract.families import Family
from housectl.contract.metrics import NO_RIVAL
from housectl.contract.parameters import Assignment, Value
from housectl.contract.record import SCHEMA_VERSION, Record
from housectl.experiment import Experiment, Parameter, ParameterKind

ALGORITHM = "housectl"
SUGGESTION_PORT = 6789
"""Port at which Katib asks an algorithm's service."""
HEALTH_SERVICE = "manager.v1beta1.Suggestion"
"""Name of the service in Katib's health checks."""
SEARCH_SETTING = "search"
"""Name of the algorithm's setting with a `SearchSetting`."""
FAMILY, RIVAL = "family", "rival"
"""Names of the parameters of Katib that are no hyperparameters."""
WAITING = "waiting for trial"
"""Start of the service's error while a suggestion depends on a trial that has not ended."""
NONE = "none"
"""Text of a parameter of another family."""


class EarlierTrial(Record, kw_only=True):
    """A trial that ended before its search was resumed; `mse` is None if it failed."""

    number: int
    assignment: dict[str, Value]
    mse: float | None = None


class SearchSetting(Record, kw_only=True):
    """Everything that the service needs beside the trials of a request.

    Attributes:
        sampler: Version of the sampler that the client expects.
        earlier: Trials that ended before the search was resumed.
    """

    schema_version: int = SCHEMA_VERSION
    sampler: int
    experiment: Experiment
    earlier: tuple[EarlierTrial, ...] = ()


def trial_name(experiment: Experiment, number: int) -> str:
    """Return the name of a trial's objects."""
    return f"{experiment.name}-{number:04}"


def trial_number(experiment: Experiment, name: str) -> int | None:
    """Return the number in a trial's name; None if it is the name of another trial."""
    digits = name.removeprefix(f"{experiment.name}-")
    is_number = digits != name and digits.isascii() and digits.isdigit()
    return int(digits) if is_number else None


def parameter_name(experiment: Experiment, family: Family, name: str) -> str:
    """Return a parameter's name in Katib, which is unique among all families."""
    return name if len(experiment.spaces) == 1 else f"{family}.{name}"


def suggestion_texts(
    experiment: Experiment, number: int, assignment: Assignment, *, rival: int | None
) -> dict[str, str]:
    """Return the values of all of Katib's parameters for one trial.

    Katib requires a value for each parameter, also for those of the other families.
    """
    own = experiment.family_at_turn(number)
    texts = {
        parameter_name(experiment, family, parameter.name): str(assignment[parameter.name])
        if family is own
        else NONE
        for family, space in experiment.spaces.items()
        for parameter in space.parameters
    }
    rival_text = NO_RIVAL if rival is None else trial_name(experiment, rival)
    return {FAMILY: own, RIVAL: rival_text, **texts}


def read_assignment_texts(
    experiment: Experiment, number: int, texts: Mapping[str, str]
) -> Assignment:
    """Return a trial's assignment from the values of Katib's parameters."""
    family = experiment.family_at_turn(number)
    space = experiment.spaces[family]
    values = {
        parameter.name: read_value(
            parameter, texts[parameter_name(experiment, family, parameter.name)]
        )
        for parameter in space.parameters
    }
    return {**space.fixed, **values}


def read_value(parameter: Parameter, text: str) -> Value:
    """Return the value of a parameter from its text."""
    match parameter.kind:
        case ParameterKind.INT:
            return int(float(text))
        case ParameterKind.DOUBLE:
            return float(text)
        case ParameterKind.CATEGORICAL:
            choices = {str(choice): choice for choice in parameter.choices}
            return choices.get(text, text)
