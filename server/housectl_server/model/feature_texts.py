"""Texts about features for clients: the valid values of each, and its values in training."""

from collections.abc import Sequence
from itertools import pairwise

from housectl.contract.cells import write_date
from housectl.contract.column_types import (
    ISO_8601,
    Boolean,
    Category,
    ColumnType,
    Datetime,
    Number,
)
from housectl.contract.reference import Distribution
from housectl.contract.schema import Feature

_MAX_LEVELS_LENGTH = 500


def describe_expected(feature: Feature) -> str:
    """Return the description of valid values of a feature, with those in training."""
    column = feature.type
    valid = _valid_values(column) + (", or null" if column.nullable else "")
    training = describe_training(feature)
    if not training:
        return valid
    if isinstance(column, Category) and len(training) > _MAX_LEVELS_LENGTH:
        training = f"{training[:_MAX_LEVELS_LENGTH]} … ({len(column.levels)} levels, see /docs)"
    unit = f" {feature.unit}" if feature.unit else ""
    return f"{valid}; in training {training}{unit}"


def describe_type(column: ColumnType) -> str:
    """Return the name of a type, as the page at /docs shows it."""
    match column:
        case Number():
            return "number"
        case Boolean():
            return "true or false"
        case Category():
            return f"text; {column.unknown_levels.description}"
        case Datetime():
            return f"date, {_format_name(column)}"


def describe_training(feature: Feature) -> str:
    """Return the range or the levels of a feature in training; empty for a boolean."""
    match feature.type:
        case Number():
            return f"{feature.minimum:g} to {feature.maximum:g}"
        case Boolean():
            return ""
        case Category() as category:
            return ", ".join(map(repr, category.levels))
        case Datetime() as column:
            return f"{write_date(column, feature.minimum)} to {write_date(column, feature.maximum)}"


def describe_bins(feature: Feature, distribution: Distribution) -> list[str]:
    """Return the values in each bin of a feature's distribution, without the missing ones."""
    match feature.type:
        case Boolean():
            return ["false", "true"]
        case Category() as category:
            group = ["other texts"] if category.has_group else []
            return ["unknown texts", *category.levels, *group]
        case Datetime() as column:
            return _intervals([write_date(column, edge) for edge in distribution.edges])
        case Number():
            return _intervals([f"{edge:g}" for edge in distribution.edges])


def _intervals(edges: Sequence[str]) -> list[str]:
    if not edges:
        return ["all values"]
    inner = [f"above {low}, up to {high}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]}", *inner, f"above {edges[-1]}"]


def _valid_values(column: ColumnType) -> str:
    match column:
        case Number():
            return "a finite number"
        case Boolean():
            return "true or false"
        case Category():
            return f"a text ({column.unknown_levels.description})"
        case Datetime():
            return f"a date as text ({_format_name(column)})"


def _format_name(column: Datetime) -> str:
    return "ISO 8601" if column.format == ISO_8601 else column.format
