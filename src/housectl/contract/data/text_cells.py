"""Cells of a data file: their doubles, and their texts in a canonical CSV file."""

import math
from collections.abc import Iterable, Sequence
from itertools import compress
from operator import not_
from typing import TypeVar

from housectl.contract.cells import InvalidCellError, missing_cell_error, read_text, shown_text
from housectl.contract.column_types import Category, ColumnType, Number
from housectl.contract.data.csv_format import CsvFormat

V = TypeVar("V")


def read_plain_numbers(texts: Sequence[str]) -> list[float] | None:
    """Return the numbers of many cells; None if one of them has another text."""
    joined = "".join(texts)
    if not joined.isascii() or "_" in joined:
        return None
    try:
        numbers = list(map(float, texts))
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def convert_numbers(
    column: ColumnType | None, texts: Sequence[str], csv_format: CsvFormat
) -> tuple[Sequence[str], Sequence[float]] | None:
    """Return the canonical texts and the doubles of many cells, faster than one by one.

    Return None if a cell is no number, or if a number has a mark between thousands.
    """
    if not isinstance(column, Number) or (csv_format.has_missing_number and not column.nullable):
        return None
    gaps = list(csv_format.find_missing(texts)) if column.nullable else []
    present = list(compress(texts, map(not_, gaps))) if True in gaps else texts
    plain = _with_points(present, csv_format)
    numbers = None if plain is None else read_plain_numbers(plain)
    if plain is None or numbers is None:
        return None
    if present is texts:
        return plain, numbers
    return _with_gaps(plain, gaps, ""), _with_gaps(numbers, gaps, math.nan)


def _with_gaps(values: Iterable[V], gaps: Sequence[bool], missing: V) -> list[V]:
    remaining = iter(values)
    return [missing if is_gap else next(remaining) for is_gap in gaps]


def _with_points(texts: Sequence[str], csv_format: CsvFormat) -> Sequence[str] | None:
    if csv_format.has_plain_numbers:
        return texts
    joined = "".join(texts)
    # Points are no decimal points here, and a mark needs a check of the digits around it.
    others = {csv_format.thousands, "."} - {csv_format.decimal, ""}
    if any(mark in joined for mark in others):
        return None
    return [text.strip().replace(csv_format.decimal, ".") for text in texts]


def read_text_cell(column: ColumnType, text: str, csv_format: CsvFormat) -> float:
    """Return the double of a cell.

    Raises:
        InvalidCellError: The column does not accept the cell.
    """
    canonical = canonical_text(column, text, csv_format)
    if canonical:
        return read_text(column, canonical)
    if column.nullable:
        return math.nan
    raise missing_cell_error()


def canonical_text(column: ColumnType | None, text: str, csv_format: CsvFormat) -> str:
    """Return the text of a cell in a file of the default format; empty if the cell is missing.

    A text of a column without a type is its own canonical text.

    Raises:
        InvalidCellError: The text of a number has another notation than the format's.
    """
    # A level may be spelled as missing values usually are.
    is_level = isinstance(column, Category) and text.strip() in column.levels
    if csv_format.is_missing(text) and not is_level:
        return ""
    if column is None:
        return text
    if not isinstance(column, Number):
        return text.strip()
    number = csv_format.plain_number(text)
    if number is None:
        example = f"1{csv_format.thousands}234{csv_format.decimal}5"
        raise InvalidCellError(f"{shown_text(text)} is not a number such as {example}")
    return number
