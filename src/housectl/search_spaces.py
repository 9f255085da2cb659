"""Search spaces: each family's own, and those that a project file describes. Pure."""

from collections.abc import Mapping

from housectl.contract.families import Family
from housectl.contract.family_definition import FamilySpace, SearchRange
from housectl.contract.parameters import Value
from housectl.experiment import Parameter, ParameterKind, SearchSpace


def default_space(family: Family) -> SearchSpace:
    """Return the family's default space, of the few parameters that decide a model's quality."""
    return _search_space(family, family.definition.default_space)


def wide_space(family: Family) -> SearchSpace:
    """Return the family's extensive space, for budgets of a hundred trials or more."""
    return _search_space(family, family.definition.wide_space)


def range_parameter(family: Family, name: str, search_range: SearchRange) -> Parameter:
    """Return a parameter with a range, of integers if the parameter's domain has integers."""
    is_integer = family.definition.domains[name].is_integer
    return Parameter(
        name=name,
        kind=ParameterKind.INT if is_integer else ParameterKind.DOUBLE,
        minimum=search_range.minimum,
        maximum=search_range.maximum,
        log=search_range.log,
        step=search_range.step,
    )


def make_space(
    family: Family, parameters: tuple[Parameter, ...], fixed: Mapping[str, Value]
) -> SearchSpace:
    """Return a space whose first trials are the family's starting points.

    A starting point's value outside a range moves to the nearer end of the range. Otherwise one
    logarithmic range, which cannot contain 0, would exclude the whole recipe. With a step, it moves
    to the nearest value. A starting point that lacks a searched parameter is left out.
    """
    enqueued: list[Mapping[str, Value]] = []
    for recipe in family.definition.starting_points:
        if all(parameter.name in recipe for parameter in parameters):
            assignment = {
                parameter.name: _clamp(parameter, recipe[parameter.name])
                for parameter in parameters
            }
            if assignment not in enqueued:
                enqueued.append(assignment)
    return SearchSpace(parameters=parameters, fixed=fixed, enqueued=tuple(enqueued))


def _search_space(family: Family, space: FamilySpace) -> SearchSpace:
    parameters = tuple(
        range_parameter(family, name, search_range) for name, search_range in space.ranges.items()
    )
    return make_space(family, parameters, space.fixed)


def _clamp(parameter: Parameter, value: Value) -> Value:
    if parameter.minimum is None or isinstance(value, str):
        return value if value in parameter.choices else parameter.choices[0]
    return parameter.nearest(value)
