"""Canonical texts of a table's rows, which decide splits, and which rows are equal."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from housectl.contract.data.table import Table

Column = Sequence[float] | Sequence[str]

# An odd number with irregular bits, 2**64 divided by the golden ratio.
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)


class RowTexts(Sequence[str]):
    """The text of each row: repr() of its values, joined by commas.

    A text is made when it is needed, since all texts of a large table need much memory.

    Args:
        columns: Values of one column or more: an array of doubles, or texts.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns[0])

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> "RowTexts": ...

    def __getitem__(self, index: int | slice) -> "str | RowTexts":
        if isinstance(index, slice):
            return RowTexts([column[index] for column in self._columns])
        return ",".join(repr(column[index]) for column in self._columns)

    def __iter__(self) -> Iterator[str]:
        return (",".join(map(repr, row)) for row in zip(*self._columns, strict=True))

    @cached_property
    def distinct(self) -> int:
        """Number of different texts."""
        hashes = np.zeros(len(self), dtype=np.uint64)
        for column in self._columns:
            hashes = (hashes ^ _bits(column)) * _FACTOR
            hashes ^= hashes >> _SHIFT
        # Different hashes have different texts, but equal hashes may have different ones.
        return len(self) if len(np.unique(hashes)) == len(self) else len(set(self))


def row_texts(table: Table) -> RowTexts:
    """Return the canonical text of each row: of its features and its target.

    A category is represented by its text, so that added levels do not move rows.
    """
    return RowTexts([*_columns(table).values()])


def feature_texts(table: Table, *, target: str) -> RowTexts:
    """Return the canonical text of the features of each row, as `row_texts` does."""
    return RowTexts([column for name, column in _columns(table).items() if name != target])


def count_distinct(texts: Sequence[str]) -> int:
    """Return the number of different texts."""
    return texts.distinct if isinstance(texts, RowTexts) else len(set(texts))


def _columns(table: Table) -> Mapping[str, Column]:
    return {name: table.texts.get(name, numbers) for name, numbers in table.numbers.items()}


def _bits(column: Column) -> NDArray[np.uint64]:
    """Return a number for each value; equal values have equal numbers."""
    codes: dict[object, int] = {}
    if column and isinstance(column[0], str):
        numbers = (codes.setdefault(text, len(codes)) for text in column)
        return np.fromiter(numbers, dtype=np.uint64, count=len(column))
    values = np.array(column, dtype=np.float64)
    # repr() does not show the other bits of NaN.
    values[np.isnan(values)] = np.nan
    return values.view(np.uint64)
