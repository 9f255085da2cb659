"""Assignments that represent a search space in an estimate. Pure."""

import math

from housectl.contract.parameters import Assignment, Value
from housectl.experiment import Parameter, ParameterKind, SearchSpace


def typical_assignment(space: SearchSpace) -> Assignment:
    """Return the middle of each range, and of each list of choices."""
    return {**space.fixed, **{each.name: _middle(each) for each in space.parameters}}


def _middle(parameter: Parameter) -> Value:
    minimum, maximum = parameter.minimum, parameter.maximum
    if minimum is None or maximum is None:
        return parameter.choices[len(parameter.choices) // 2]
    middle = math.sqrt(minimum * maximum) if parameter.log else (minimum + maximum) / 2
    return round(middle) if parameter.kind is ParameterKind.INT else middle
