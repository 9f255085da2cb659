"""Reasons to exclude a column of the data from the features."""

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import Series

_ID_NAME = re.compile(r"(?i)(.*[_ -])?id|index|idx|key|uuid|row|rownum")


def exclusion_reason(column: "Series[float]") -> str | None:
    """Return the reason that no model can use a column: text, missing values, or one value."""
    return _not_numeric(column) or _missing_values(column) or _constant(column)


def _not_numeric(column: "Series[float]") -> str | None:
    import pandas as pd

    if pd.api.types.is_bool_dtype(column):
        return f"text in line 2: {str(column.iloc[0])!r}"
    if pd.api.types.is_numeric_dtype(column):
        return None
    text = column[pd.to_numeric(column, errors="coerce").isna() & column.notna()]
    if text.empty:
        return "numbers outside the range of float64"
    return f"text in line {int(text.index[0]) + 2}: {str(text.iloc[0])[:40]!r}"


def _missing_values(column: "Series[float]") -> str | None:
    missing = column.isna() | column.isin([math.inf, -math.inf])
    count = int(missing.sum())
    if not count:
        return None
    first = int(missing.to_numpy().argmax()) + 2
    return f"missing or infinite value in {count} rows, first in line {first}"


def _constant(column: "Series[float]") -> str | None:
    return f"constant value {column.iloc[0]}" if column.nunique() == 1 else None


def identifier_reason(column: "Series[float]") -> str | None:
    """Return the reason that a usable column looks like an identifier of its row."""
    if not column.is_unique or (column % 1 != 0).any():
        return None
    ordered = column.is_monotonic_increasing or column.is_monotonic_decreasing
    if ordered or _ID_NAME.fullmatch(str(column.name)):
        return "probably an identifier: unique whole numbers" + (", sorted" if ordered else "")
    return None
