"""Assignments, as text and as values, checked against the parameters of a family."""

from collections.abc import Iterable

from housectl.contract.families import Family
from housectl.contract.parameters import Assignment, Value
from housectl.errors import AssignmentError


def read_assignment(family: Family, assignment: Assignment) -> dict[str, Value]:
    """Return the assignment with every value in its parameter's type.

    Raises:
        AssignmentError: The family lacks a parameter, or a value is outside its domain.
    """
    return {name: _read(family, name, value) for name, value in assignment.items()}


def assignments_of(family: Family, texts: Iterable[str]) -> list[str]:
    """Return the texts for one family, without its name: `max_depth=4`.

    Katib gives each trial the parameters of all families, as in `xgboost.max_depth=4`.

    Args:
        family: The family of the trial.
        texts: Assignments; those without the name of a family are for the trial's own.
    """
    others = tuple(f"{other}." for other in Family if other is not family)
    return [text.removeprefix(f"{family}.") for text in texts if not text.startswith(others)]


def parse_assignments(texts: Iterable[str]) -> dict[str, Value]:
    """Return an assignment from texts such as `max_depth=4`.

    Raises:
        AssignmentError: A text is not such a pair, or a name occurs twice.
    """
    assignment: dict[str, Value] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise _invalid(f"{text!r} does not assign a value to a parameter.")
        if name in assignment:
            raise _invalid(f"The parameter {name!r} has two values.")
        assignment[name] = value
    return assignment


def _read(family: Family, name: str, value: Value) -> Value:
    domains = family.definition.domains
    if name not in domains:
        raise AssignmentError(
            f"The family {family} has no parameter {name!r}.",
            hint=f"Its parameters are {', '.join(sorted(domains))}.",
        )
    try:
        return domains[name].read(value)
    except ValueError as error:
        raise AssignmentError(
            f"The parameter {name} of {family} cannot be {value!r}.",
            hint=f"Set {name} in housectl.yaml to {domains[name]}.",
        ) from error


def _invalid(message: str) -> AssignmentError:
    return AssignmentError(message, hint="Write each parameter once, as in `max_depth=4`.")
