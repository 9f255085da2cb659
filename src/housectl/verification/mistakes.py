"""Mistakes in values of features, by the type of the feature."""

import math
import random
from collections.abc import Callable, Mapping

from housectl.contract.column_types import (
    MAX_TEXT_LENGTH,
    Boolean,
    Category,
    ColumnType,
    Datetime,
    Number,
    UnknownLevels,
)
from housectl.verification.value_writer import ValueWriter

BreakValue = Callable[[float, random.Random], object]
"""Makes an invalid value from a valid double."""

_NULL: Mapping[str, BreakValue] = {"null": lambda _value, _rng: None}
_BOOLEAN: Mapping[str, BreakValue] = {"boolean": lambda _value, rng: bool(rng.getrandbits(1))}
_OF_NUMBERS: Mapping[str, BreakValue] = {
    "text": lambda _value, rng: rng.randbytes(3).hex() + "x",
    "number as text": lambda value, _rng: repr(value),
    **_BOOLEAN,
    "NaN": lambda _value, _rng: math.nan,
    "Infinity": lambda _value, rng: rng.choice((math.inf, -math.inf)),
    "float32 overflow": lambda _value, rng: rng.choice((1, -1)) * 10 ** rng.uniform(39, 300),
}
_OF_BOOLEANS: Mapping[str, BreakValue] = {
    "boolean as number": lambda _value, rng: rng.getrandbits(1),
    "boolean as text": lambda _value, rng: rng.choice(("true", "false", "yes", "1")),
}
_OF_TEXTS: Mapping[str, BreakValue] = {
    "number for text": lambda _value, rng: rng.choice((rng.getrandbits(8), rng.random())),
    **_BOOLEAN,
    "list": lambda _value, rng: [rng.randbytes(3).hex()],
    "long text": lambda _value, rng: rng.randbytes(1).hex() * MAX_TEXT_LENGTH,
}
_OF_DATES: Mapping[str, BreakValue] = {
    **_OF_TEXTS,
    "invalid date": lambda _value, rng: rng.choice(("2024-02-30", "32.13.2024", "today")),
}


def mistakes_of(column: ColumnType) -> Mapping[str, BreakValue]:
    """Return the mistakes that a server must refuse in values of a type, by their names."""
    null = {} if column.nullable else _NULL
    match column:
        case Number():
            return {**null, **_OF_NUMBERS}
        case Boolean():
            return {**null, **_OF_BOOLEANS}
        case Category(unknown_levels=UnknownLevels.REFUSE):
            return {**null, **_OF_TEXTS, "unknown level": _unknown_level_of(column)}
        case Category():
            return {**null, **_OF_TEXTS}
        case Datetime():
            return {**null, **_OF_DATES}


def _unknown_level_of(column: Category) -> BreakValue:
    return lambda _value, rng: ValueWriter(rng).unknown_level(column)
