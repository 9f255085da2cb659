"""Cells: the values of features in files and requests, and the double that stands for each.

A number is itself, false and true are 0 and 1, a level is its code, and a date is its time in
seconds since 1970. A missing value is NaN. A text that is no level is `UNKNOWN_LEVEL`.
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from numbers import Real
from typing import TypeGuard

from housectl.contract.column_types import (
    ISO_8601,
    MAX_TEXT_LENGTH,
    Boolean,
    Category,
    ColumnType,
    Datetime,
    Number,
    UnknownLevels,
)
from housectl.contract.schema import FLOAT32_MAXIMUM, Schema

Cell = float | str | bool | None
"""A value in JSON: a number, a text, a boolean, or null for a missing value."""

UNKNOWN_LEVEL = -1.0

_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})
_MAX_SHOWN = 40
_CACHED_DATES = 1024
_MIDNIGHT = "T00:00:00"
# strftime writes earlier years with fewer digits than strptime reads.
_FIRST_YEAR = 1000


class InvalidCellError(ValueError):
    """A value that its column does not accept; the text completes "the value …"."""


def read_row(schema: Schema, cells: Sequence[object]) -> list[float]:
    """Return the doubles of one value per feature, in the model's order.

    Raises:
        InvalidCellError: A column does not accept its value.
    """
    return [read_cell(each.type, cell) for each, cell in zip(schema.features, cells, strict=True)]


def write_row(schema: Schema, row: Sequence[float]) -> tuple[Cell, ...]:
    """Return the values of a request whose doubles are these, or are the nearest to them."""
    return tuple(
        write_cell(each.type, value) for each, value in zip(schema.features, row, strict=True)
    )


def read_cell(column: ColumnType, cell: object) -> float:
    """Return the double of a value in a request.

    Raises:
        InvalidCellError: The column does not accept the value.
    """
    if cell is None:
        return _missing(column)
    match column:
        case Number():
            return _finite(cell)
        case Boolean() if isinstance(cell, bool):
            return float(cell)
        case Category() | Datetime() if isinstance(cell, str):
            if len(cell) > MAX_TEXT_LENGTH:
                raise InvalidCellError(f"is longer than {MAX_TEXT_LENGTH} characters")
            return read_text(column, cell)
        case Boolean():
            raise InvalidCellError("is not true or false")
        case _:
            raise InvalidCellError("is not a text")


def cell_reader(column: ColumnType) -> Callable[[object], float]:
    """Return a function that reads values as `read_cell` does, and usual values faster."""
    read = partial(read_cell, column)
    match column:
        case Number():
            return lambda cell: cell if _is_usual_number(cell) else read(cell)
        case Category(levels=levels):
            codes = {level: float(code) for code, level in enumerate(levels)}
            return lambda cell: (
                codes[cell] if isinstance(cell, str) and cell in codes else read(cell)
            )
        case Datetime():
            # Clients send the same dates again and again, and a date takes long to parse.
            read_again = lru_cache(maxsize=_CACHED_DATES)(read)
            return lambda cell: read_again(cell) if isinstance(cell, str) else read(cell)
        case _:
            return read


def read_text(column: ColumnType, text: str) -> float:
    """Return the double of a text that is not missing, as a file has it.

    Raises:
        InvalidCellError: The column does not accept the text.
    """
    match column:
        case Number():
            return _finite_number(text)
        case Boolean():
            return _parse_boolean(text)
        case Category():
            return _parse_level(column, text.strip())
        case Datetime():
            return _parse_datetime(column, text.strip())


def write_cell(column: ColumnType, value: float) -> Cell:
    """Return the value of a request whose double is this, or is the nearest to it."""
    if math.isnan(value):
        return None
    match column:
        case Number():
            return value
        case Boolean():
            return value >= 0.5  # noqa: PLR2004
        case Category():
            return _level(column, round(value))
        case Datetime():
            return _write_datetime(column, value)


def write_date(column: Datetime, value: float) -> str:
    """Return the text of a date; in ISO 8601, midnight is left out."""
    text = _write_datetime(column, value)
    return text.removesuffix(_MIDNIGHT) if column.format == ISO_8601 else text


def seconds_since_1970(moment: datetime) -> float:
    """Return the double of a time; without an offset it is in UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def shown_text(text: str) -> str:
    """Return a text for a message: quoted, without spaces around it, and shortened."""
    return repr(text.strip()[:_MAX_SHOWN])


def to_float(text: str) -> float | None:
    """Return the number of a text, which may be infinite or NaN; None for another text."""
    # Unlike other CSV readers, Python accepts 1_000 and the digits of other scripts.
    if not text.isascii() or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def missing_cell_error() -> InvalidCellError:
    """Return the error of a missing value in a column that accepts none."""
    return InvalidCellError("is missing")


def _missing(column: ColumnType) -> float:
    if not column.nullable:
        raise missing_cell_error()
    return math.nan


def _is_usual_number(cell: object) -> TypeGuard[float]:
    return type(cell) is float and -FLOAT32_MAXIMUM <= cell <= FLOAT32_MAXIMUM


def _finite(cell: object) -> float:
    if not isinstance(cell, Real) or isinstance(cell, bool):
        raise InvalidCellError("is not a number")
    # A comparison, unlike float(), accepts integers of any length; NaN fails it.
    if cell <= FLOAT32_MAXIMUM and not cell < -FLOAT32_MAXIMUM:
        return float(cell)
    raise InvalidCellError("is not a finite float32 number")


def _finite_number(text: str) -> float:
    value = to_float(text)
    if value is None or not math.isfinite(value):
        raise InvalidCellError(f"{shown_text(text)} is not a finite number")
    return value


def _parse_boolean(text: str) -> float:
    word = text.strip().lower()
    if word in _TRUE:
        return 1.0
    if word in _FALSE:
        return 0.0
    raise InvalidCellError(f"{shown_text(text)} is not true or false")


def _parse_level(column: Category, text: str) -> float:
    if text in column.levels:
        return float(column.levels.index(text))
    if column.unknown_levels is UnknownLevels.REFUSE:
        raise InvalidCellError(f"{shown_text(text)} is not one of its levels")
    return float(len(column.levels)) if column.has_group else UNKNOWN_LEVEL


def _level(column: Category, code: int) -> str:
    if 0 <= code < len(column.levels):
        return column.levels[code]
    text = "other"
    while text in column.levels:
        text += "_"
    return text


def _parse_datetime(column: Datetime, text: str) -> float:
    try:
        if len(text) > MAX_TEXT_LENGTH:
            raise ValueError(text)  # noqa: TRY301
        moment = (
            datetime.fromisoformat(text)
            if column.format == ISO_8601
            else datetime.strptime(text, column.format)  # noqa: DTZ007
        )
        return seconds_since_1970(moment)
    except (ValueError, OverflowError) as error:
        form = (
            "an ISO 8601 date"
            if column.format == ISO_8601
            else f"a date of the form {column.format}"
        )
        raise InvalidCellError(f"{shown_text(text)} is not {form}") from error


def _write_datetime(column: Datetime, value: float) -> str:
    earliest = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()
    latest = datetime.max.replace(tzinfo=UTC).timestamp() - 1
    moment = datetime.fromtimestamp(min(max(value, earliest), latest), UTC)
    if column.format == ISO_8601:
        return moment.replace(tzinfo=None).isoformat()
    return moment.strftime(column.format)
