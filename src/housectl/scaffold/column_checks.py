"""Reasons to exclude a column of the data from the features."""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import Series

_ID_NAME = re.compile(r"(?i)(.*[_ -])?id|index|idx|key|uuid|row|rownum")
_DATE = re.compile(r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T ].*)?")
_MAX_CELL_LENGTH = 40


@dataclass(frozen=True)
class ExclusionReason:
    """The reason that a column is no feature.

    Attributes:
        kind: Kind of the column. It is published with every model, so it has no cell of the data.
        detail: More for the terminal, where a cell may appear.
    """

    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.detail})"


def exclusion_reason(column: "Series[float]") -> ExclusionReason | None:
    """Return the reason that no model can use a column: text, missing values, or one value."""
    return _not_numeric(column) or _missing_values(column) or _constant(column)


def _not_numeric(column: "Series[float]") -> ExclusionReason | None:
    import pandas as pd

    if pd.api.types.is_bool_dtype(column):
        return ExclusionReason("truth values", f"line 2: {str(column.iloc[0])!r}")
    if pd.api.types.is_numeric_dtype(column):
        return None
    # Unlike integers of any length, their texts are parsed without an overflow.
    numbers = pd.to_numeric(column.astype(str), errors="coerce")
    text = column[numbers.isna() & column.notna()].astype(str)
    if text.empty:
        return ExclusionReason("numbers outside the range of float64", "more than 308 digits")
    first = text.iloc[0][:_MAX_CELL_LENGTH]
    return ExclusionReason(_kind_of_text(text), f"line {int(text.index[0]) + 2}: {first!r}")


def _kind_of_text(cells: "Series[str]") -> str:
    return "dates" if cells.str.fullmatch(_DATE).all() else "text"


def _missing_values(column: "Series[float]") -> ExclusionReason | None:
    missing = column.isna() | column.isin([math.inf, -math.inf])
    count = int(missing.sum())
    if not count:
        return None
    first = int(missing.to_numpy().argmax()) + 2
    return ExclusionReason("missing or infinite values", f"{count} rows, the first in line {first}")


def _constant(column: "Series[float]") -> ExclusionReason | None:
    if column.nunique() != 1:
        return None
    return ExclusionReason("constant", f"value {column.iloc[0]}")


def identifier_reason(column: "Series[float]") -> ExclusionReason | None:
    """Return the reason that a usable column looks like an identifier of its row."""
    if not column.is_unique or (column % 1 != 0).any():
        return None
    ordered = column.is_monotonic_increasing or column.is_monotonic_decreasing
    if ordered or _ID_NAME.fullmatch(str(column.name)):
        order = ", sorted" if ordered else ""
        return ExclusionReason("probably an identifier", f"unique whole numbers{order}")
    return None
