"""The `space:` field of housectl.yaml, and the search spaces that it describes."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    RootModel,
    StrictBool,
    Tag,
    model_validator,
)

from housectl.contract.families import Family
from housectl.contract.family_definition import SearchRange
from housectl.contract.parameters import ParameterDomain, Value
from housectl.experiment import Parameter, ParameterKind, SearchSpace
from housectl.project.fields import ConfigModel, CrossFieldError
from housectl.project.problems import ALTERNATIVE, Location, describe_choices
from housectl.project.value_types import Number
from housectl.search_spaces import default_space, make_space, range_parameter, wide_space


def _number_or_word(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a range {min: …, max: …}, {choices: […]}, a number or a word")  # noqa: TRY004
    return value


Scalar = Annotated[Value, BeforeValidator(_number_or_word)]


class Range(ConfigModel):
    """A parameter to search between two ends, both included."""

    min: Number
    """Smallest value."""
    max: Number
    """Largest value."""
    log: StrictBool = False
    """Search on a logarithmic scale."""
    step: Number | None = None
    """Distance of the values, which begin at the minimum; without it, all values are searched."""

    @model_validator(mode="after")
    def _searchable(self) -> Self:
        if not self.min < self.max:
            raise ValueError("min below max")
        if self.log and self.min <= 0:
            raise ValueError("min above 0, since the scale is logarithmic")
        if self.step is not None and self.log:
            raise ValueError("step or log, since steps are equal distances")
        if self.step is not None and not 0 < self.step <= self.max - self.min:
            raise ValueError("step above 0 and at most max - min")
        return self


class Choices(ConfigModel):
    """A parameter to choose from a list."""

    choices: Annotated[tuple[Scalar, ...], Field(min_length=2)]
    """The values."""


_RANGE = ALTERNATIVE + "range"
_CHOICES = ALTERNATIVE + "choices"
_CONSTANT = ALTERNATIVE + "constant"
_NAMED = ALTERNATIVE + "named"
_PARAMETERS = ALTERNATIVE + "parameters"
_FAMILIES = ALTERNATIVE + "families"


def _kind_of_parameter(value: object) -> str:
    if isinstance(value, dict):
        return _CHOICES if "choices" in value else _RANGE
    return _CONSTANT


def _kind_of_space(value: object) -> str:
    if isinstance(value, dict):
        return _FAMILIES if value.keys() & set(Family) else _PARAMETERS
    return _NAMED


ParameterFields = Annotated[
    Annotated[Range, Tag(_RANGE)]
    | Annotated[Choices, Tag(_CHOICES)]
    | Annotated[Scalar, Tag(_CONSTANT)],
    Discriminator(_kind_of_parameter),
]
Named = Literal["default", "wide"]
ParameterMap = dict[str, ParameterFields]
FamilySpaceFields = Annotated[
    Annotated[Named, Tag(_NAMED)] | Annotated[ParameterMap, Tag(_PARAMETERS)],
    Discriminator(_kind_of_space),
]


class PerFamilySpaces(RootModel[dict[Family, FamilySpaceFields]]):
    """A space for each family; a family that is not named has its default space."""


SpaceFields = Annotated[
    Annotated[Named, Tag(_NAMED)]
    | Annotated[ParameterMap, Tag(_PARAMETERS)]
    | Annotated[PerFamilySpaces, Tag(_FAMILIES)],
    Discriminator(_kind_of_space),
]


def search_spaces(space: SpaceFields, families: Sequence[Family]) -> dict[Family, SearchSpace]:
    """Return each family's search space."""
    if isinstance(space, PerFamilySpaces):
        spaces = {family: space.root.get(family, "default") for family in families}
    else:
        spaces = dict.fromkeys(families, space)
    return {family: _search_space(family, fields) for family, fields in spaces.items()}


def space_errors(space: SpaceFields, families: Sequence[Family]) -> Iterator[CrossFieldError]:
    """Yield the errors of a space that the families cannot be searched in."""
    if isinstance(space, PerFamilySpaces):
        for family, fields in space.root.items():
            yield from _family_space_errors(family, fields, (family.value,))
    elif isinstance(space, dict) and len(families) > 1:
        expected = f"default, wide, or one of them or parameters for each of {', '.join(families)}"
        yield CrossFieldError((), "parameters of no family", expected)
    else:
        yield from _family_space_errors(families[0], space, ())


def _family_space_errors(
    family: Family, space: FamilySpaceFields, location: Location
) -> Iterator[CrossFieldError]:
    if isinstance(space, str):
        return
    if not any(isinstance(fields, Range | Choices) for fields in space.values()):
        expected = "at least one range or list of choices"
        yield CrossFieldError(location, "nothing to search", expected)
    domains = family.definition.domains
    for name, fields in space.items():
        if name in domains:
            yield from _value_errors(domains[name], fields, (*location, name))
        else:
            expected = describe_choices(name, [*domains])
            yield CrossFieldError((*location, name), f"no parameter of {family}", expected)


def _value_errors(
    domain: ParameterDomain, fields: ParameterFields, location: Location
) -> Iterator[CrossFieldError]:
    for inner, value in _values(fields):
        if not domain.accepts(value):
            yield CrossFieldError((*location, *inner), repr(value), str(domain))
    step = fields.step if isinstance(fields, Range) else None
    if step is not None and domain.is_integer and not step.is_integer():
        yield CrossFieldError((*location, "step"), repr(step), "a whole number")


def _values(fields: ParameterFields) -> Iterator[tuple[Location, Value]]:
    if isinstance(fields, Range):
        yield ("min",), _plain(fields.min)
        yield ("max",), _plain(fields.max)
    elif isinstance(fields, Choices):
        yield from ((("choices", index), value) for index, value in enumerate(fields.choices))
    else:
        yield (), fields


def _plain(number: float) -> int | float:
    """Return a whole number as an int: YAML's 100 and the range's 100.0 are the same."""
    return int(number) if number.is_integer() else number


def _search_space(family: Family, space: FamilySpaceFields) -> SearchSpace:
    if space == "default":
        return default_space(family)
    if space == "wide":
        return wide_space(family)
    searched = {
        name: fields for name, fields in space.items() if isinstance(fields, Range | Choices)
    }
    fixed = {
        name: family.definition.domains[name].read(fields)
        for name, fields in space.items()
        if not isinstance(fields, Range | Choices)
    }
    parameters = tuple(_parameter(family, name, fields) for name, fields in searched.items())
    return make_space(family, parameters, fixed)


def _parameter(family: Family, name: str, fields: Range | Choices) -> Parameter:
    if isinstance(fields, Range):
        step = None if fields.step is None else _plain(fields.step)
        search_range = SearchRange(
            _plain(fields.min), _plain(fields.max), log=fields.log, step=step
        )
        return range_parameter(family, name, search_range)
    read = family.definition.domains[name].read
    return Parameter(
        name=name,
        kind=ParameterKind.CATEGORICAL,
        choices=tuple(read(choice) for choice in fields.choices),
    )
