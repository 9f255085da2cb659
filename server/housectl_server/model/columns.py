"""Columns of tables: the doubles of cells, numbers or texts; see `cells`."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from housectl.contract.cells import InvalidCellError, cell_reader
from housectl.contract.column_types import Boolean, Category, ColumnType, Datetime, Number
from housectl.contract.data.column_readers import ColumnError, NumberReader
from housectl.contract.data.csv_format import DEFAULT_FORMAT
from housectl.contract.schema import FLOAT32_MAXIMUM

Floats = NDArray[np.float64]
ReadColumn = Callable[[ColumnType], Floats]
"""Returns the doubles of a column's values, `(n,)`, for its type, or raises InvalidColumnError."""

_NUMBER_TYPES = frozenset({float, int, type(None)})


@dataclass(frozen=True)
class Columns:
    """Named columns of equal lengths, whose values are still to be read.

    Attributes:
        count: Number of rows.
    """

    by_name: Mapping[str, ReadColumn]
    count: int


class InvalidColumnError(ValueError):
    """A value that its column does not accept; the text completes "the value …".

    Attributes:
        row: Index of the row.
    """

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(problem)
        self.row = row


def read_cells(cells: Sequence[object], column: ColumnType) -> Floats:
    """Return the doubles of values in JSON, `(n,)`; null and NaN are missing values.

    Raises:
        InvalidColumnError: The column does not accept a value.
    """
    if isinstance(column, Number) and _NUMBER_TYPES.issuperset(map(type, cells)):
        with suppress(OverflowError):
            return read_numbers(np.array(cells, dtype=np.float64), column)
    read, values = cell_reader(column), np.empty(len(cells))
    for row, cell in enumerate(cells):
        try:
            values[row] = read(None if cell != cell else cell)  # noqa: PLR0124  # NaN
        except InvalidCellError as error:
            raise InvalidColumnError(row, str(error)) from error
    return values


def read_numbers(values: Floats, column: ColumnType) -> Floats:
    """Return the doubles of numbers, `(n,)`; those of a boolean are 0 and 1, and NaN is missing.

    Raises:
        InvalidColumnError: The column does not accept a number.
    """
    match column:
        case Number():
            valid, problem = np.abs(values) <= FLOAT32_MAXIMUM, "is not a finite float32 number"
        case Boolean():
            valid, problem = (values == 0) | (values == 1), "is not true or false"
        case Category() | Datetime():
            valid, problem = np.zeros(len(values), dtype=np.bool_), "is not a text"
    missing = np.isnan(values)
    if column.nullable:
        valid |= missing
    if not valid.all():
        row = int(valid.argmin())
        raise InvalidColumnError(row, "is missing" if missing[row] else problem)
    return values


def read_texts(texts: Sequence[str], column: ColumnType) -> Floats:
    """Return the doubles of texts in a CSV file, `(n,)`; see `contract.data`.

    Raises:
        InvalidColumnError: The column does not accept a text.
    """
    reader = NumberReader(column, DEFAULT_FORMAT)
    try:
        reader.extend(texts)
    except ColumnError as error:
        raise InvalidColumnError(error.index, str(error)) from error
    return np.array(reader.values)
