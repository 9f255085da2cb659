"""Input columns of a graph, and their expansion inside the graph.

A row has one double per feature; see `cells`. Its columns are the numbers that a graph receives: a
date becomes four named numbers, and every other feature is one column. Inside the graph, each code
of a category becomes an indicator, which is 1 or 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import overload

import numpy as np
from numpy.typing import NDArray

from housectl.contract.column_types import Category, ColumnType, Datetime
from housectl.contract.schema import Feature

MISSING_CODE = -1
"""Code of a missing level, and of a text that is no level."""

DATETIME_PARTS = ("year", "month", "weekday", "seconds")
"""Numbers of a date; the weekday counts from Monday, 0, and the seconds from the earliest date."""

_BLOCK_ROWS = 4096

Floats = NDArray[np.float64]
Precision = type[np.float64] | type[np.float32]
Rows = NDArray[np.float64 | np.float32]


class ColumnEncoder:
    """Converts rows into columns.

    Args:
        features: Features of the rows.

    Attributes:
        names: Names of the columns.
        starts: Index of each feature's first column.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self._features = tuple(features)
        self._is_identity = not any(
            isinstance(each.type, Category | Datetime) for each in self._features
        )
        self.names = tuple(name for each in self._features for name in _column_names(each))
        widths = [_width(each.type) for each in self._features]
        self.starts = tuple(accumulate(widths[:-1], initial=0))

    def encode(self, rows: Floats) -> Floats:
        """Return the columns of rows, `(n, columns)`.

        Args:
            rows: `(n, features)`, the doubles of the features' values; NaN if missing.
        """
        if self._is_identity:
            return rows
        parts = (_columns(each, rows[:, number]) for number, each in enumerate(self._features))
        return np.column_stack([column for columns in parts for column in columns])


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """The expansion of columns inside a graph: numbers are kept, and each code is an indicator.

    Attributes:
        columns: Number of columns.
        kept: Indices of the columns that are numbers.
        nullable: Indices of those that are NaN in some rows.
        indicators: Column and code of each indicator.
    """

    columns: int
    kept: tuple[int, ...]
    nullable: tuple[int, ...] = ()
    indicators: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, types: Sequence[ColumnType]) -> "Expansion":
        """Return the expansion of the columns of features with these types."""
        columns = [each for each in types for _ in range(_width(each))]
        kept = [index for index, each in enumerate(columns) if not isinstance(each, Category)]
        return cls(
            columns=len(columns),
            kept=tuple(kept),
            nullable=tuple(index for index in kept if columns[index].nullable),
            indicators=tuple(
                (index, code)
                for index, each in enumerate(columns)
                if isinstance(each, Category)
                for code in _codes(each)
            ),
        )

    @classmethod
    def plain(cls, columns: int) -> "Expansion":
        """Return the expansion of numbers that are never missing: they stay as they are."""
        return cls(columns=columns, kept=tuple(range(columns)))

    @property
    def width(self) -> int:
        """Number of expanded columns."""
        return len(self.kept) + len(self.indicators)

    @property
    def categories(self) -> tuple[int, ...]:
        """Indices of the columns that are codes of categories."""
        return tuple(sorted({column for column, _ in self.indicators}))

    @property
    def is_nullable(self) -> NDArray[np.bool_]:
        """`(width,)`, True for the expanded columns that are NaN in some rows."""
        return np.isin([*self.kept, *[-1] * len(self.indicators)], self.nullable)

    @overload
    def expand(self, columns: Floats) -> Floats: ...

    @overload
    def expand(
        self, columns: Floats, *, indices: NDArray[np.intp] | None = None, dtype: Precision
    ) -> Rows: ...

    def expand(
        self,
        columns: Floats,
        *,
        indices: NDArray[np.intp] | None = None,
        dtype: Precision = np.float64,
    ) -> Rows:
        """Return the expanded columns, `(n, width)`: the numbers, then the indicators.

        Args:
            columns: `(n, columns)`.
            indices: Rows to expand; None for all.
            dtype: Type of the result.
        """
        if not self.indicators:
            chosen = columns if indices is None else columns[indices]
            return chosen.astype(dtype, copy=False)
        sources, codes = (np.array(each) for each in zip(*self.indicators, strict=True))
        kept, first = list(self.kept), len(self.kept)
        expanded = np.empty((len(columns if indices is None else indices), self.width), dtype)
        # Blocks keep the temporary arrays small.
        for start in range(0, len(expanded), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            rows = columns[block if indices is None else indices[block]]
            expanded[block, :first] = rows[:, kept]
            expanded[block, first:] = rows[:, sources] == codes
        return expanded


def _width(column: ColumnType) -> int:
    return len(DATETIME_PARTS) if isinstance(column, Datetime) else 1


def _column_names(feature: Feature) -> tuple[str, ...]:
    if isinstance(feature.type, Datetime):
        return tuple(f"{feature.name}.{part}" for part in DATETIME_PARTS)
    return (feature.name,)


def _codes(category: Category) -> Iterator[int]:
    yield from range(category.codes)
    if category.nullable:
        yield MISSING_CODE


def _columns(feature: Feature, values: Floats) -> tuple[Floats, ...]:
    if isinstance(feature.type, Category):
        return (np.where(np.isnan(values), MISSING_CODE, values),)
    if isinstance(feature.type, Datetime):
        return _datetime_parts(values, feature.minimum)
    return (values,)


def _datetime_parts(seconds: Floats, earliest: float) -> tuple[Floats, ...]:
    """Return year, month, weekday and the seconds since the earliest date."""
    missing = np.isnan(seconds)
    moments = np.where(missing, 0, np.floor(seconds)).astype("datetime64[s]")
    months = moments.astype("datetime64[M]").astype(np.int64)
    # 1 January 1970 was a Thursday.
    weekdays = (moments.astype("datetime64[D]").astype(np.int64) + 3) % 7
    parts = (months // 12 + 1970, months % 12 + 1, weekdays, seconds - earliest)
    return tuple(np.where(missing, np.nan, part) for part in parts)
