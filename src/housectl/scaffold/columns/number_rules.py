"""Rules for columns of numbers: features, identifiers, and numbers that no model can use."""

import math
import re
from collections.abc import Callable, Iterator

from housectl.contract.column_types import Number
from housectl.contract.schema import FLOAT32_MAXIMUM
from housectl.data_checks.sentinels import SENTINELS, is_far
from housectl.scaffold.columns.choice import (
    ColumnChoice,
    ColumnRange,
    ExclusionChoice,
    FeatureChoice,
)
from housectl.scaffold.columns.profile import ColumnProfile

_MAX_EXACT_INTEGER = 2.0**53
_FIRST_YEAR, _LAST_YEAR = 1500, 2200
_ID_NAME = re.compile(r"(?i)(.*[_ -])?id|index|idx|key|uuid|row|rownum")
_DIGITS = re.compile(r"[+-]?\d+")


def _beyond_float64(profile: ColumnProfile) -> ColumnChoice | None:
    if not any(map(math.isinf, profile.values)):
        return None
    return ExclusionChoice(
        kind="numbers beyond float64", reason="a number has more than 308 digits"
    )


def _beyond_float32(profile: ColumnProfile) -> ColumnChoice | None:
    if profile.magnitude <= FLOAT32_MAXIMUM:
        return None
    return ExclusionChoice(
        kind="numbers beyond float32",
        reason="a number exceeds 3.4e38, the largest one in a tree",
        notes=(f"{profile.name} can be used: divide the column by 1e10 or more in the data.",),
    )


def _long_whole_numbers(profile: ColumnProfile) -> ColumnChoice | None:
    is_long = profile.magnitude > _MAX_EXACT_INTEGER
    if not (is_long and all(map(_DIGITS.fullmatch, profile.counts))):
        return None
    return ExclusionChoice(
        kind="identifier", reason="whole numbers above 2^53, which float64 would round"
    )


def _equal_in_float32(profile: ColumnProfile) -> ColumnChoice | None:
    if len(profile.float32_values) > 1:
        return None
    return ExclusionChoice(
        kind="numbers that are equal in float32",
        reason=f"{len(profile.counts)} different numbers are one number in float32",
        notes=(f"{profile.name} can be used: subtract a constant from the column in the data.",),
    )


def _identifier(profile: ColumnProfile) -> ColumnChoice | None:
    values = profile.values
    if len(profile.different_values) < len(values) or not _are_whole(profile):
        return None
    ascending, descending = values == sorted(values), values == sorted(values, reverse=True)
    in_order = ascending or descending
    if not (in_order and not _are_years(profile)) and not _ID_NAME.fullmatch(profile.name):
        return None
    return ExclusionChoice(
        kind="identifier",
        reason=f"unique whole numbers{', sorted' if in_order else ''}",
        otherwise=_number(profile),
    )


def _number(profile: ColumnProfile) -> FeatureChoice:
    low, high = profile.minimum, profile.maximum
    return FeatureChoice(
        type=Number(nullable=profile.missing > 0),
        range=ColumnRange(minimum=low, maximum=high),
        reason=describe_range(low, high),
        unit=unit_of(profile),
        notes=(*_sentinel_notes(profile), *_precision_notes(profile)),
    )


def number_choice(profile: ColumnProfile) -> ColumnChoice | None:
    """Return the choice for a column of numbers; None for another column, or one of codes."""
    if not profile.is_numeric or profile.has_leading_zeros:
        return None
    rejections = (choice for rule in _REJECTIONS if (choice := rule(profile)))
    return next(rejections, None) or _number(profile)


def describe_range(low: float, high: float) -> str:
    """Return the range of some numbers as text."""
    shown = [f"{value:g}" for value in (low, high)]
    return "numbers from {} to {}".format(*shown if shown[0] != shown[1] else (low, high))


def _are_whole(profile: ColumnProfile) -> bool:
    return all(value.is_integer() for value in profile.different_values)


def _are_years(profile: ColumnProfile) -> bool:
    return profile.minimum >= _FIRST_YEAR and profile.maximum <= _LAST_YEAR


def unit_of(profile: ColumnProfile) -> str:
    """Return the unit of a column from the row of units, or a sign around its numbers."""
    if profile.unit:
        return profile.unit
    symbols = profile.csv_format.symbols
    return next((each for each in symbols if any(each in text for text in profile.counts)), "")


def _sentinel_notes(profile: ColumnProfile) -> Iterator[str]:
    for value in sorted({profile.minimum, profile.maximum} & SENTINELS):
        others = [other for other in profile.values if other != value]
        count = len(profile.values) - len(others)
        if others and count > 1 and is_far(value, low=min(others), high=max(others)):
            text = next(text for text, number in profile.numbers.items() if number == value)
            yield (
                f"{count} cells of {profile.name} are {text}, far from its other numbers; if they "
                f'mean a missing value, add "{text}" to `csv: {{missing: …}}`, and `nullable: '
                "true` to the column."
            )


def _precision_notes(profile: ColumnProfile) -> Iterator[str]:
    distinct, left = len(profile.different_values), len(profile.float32_values)
    if left * 2 < distinct:
        yield (
            f"{profile.name} has {distinct} different numbers, of which trees see {left}, because "
            "they compare float32 numbers; subtract a constant from the column in the data."
        )


_REJECTIONS: tuple[Callable[[ColumnProfile], ColumnChoice | None], ...] = (
    *(_beyond_float64, _beyond_float32, _long_whole_numbers, _equal_in_float32, _identifier),
)
