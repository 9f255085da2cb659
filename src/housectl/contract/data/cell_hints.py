"""Hints for cells that their column does not accept."""

import json
import re

from housectl.contract.column_types import Category, ColumnType, Number
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.missing_texts import MISSING, MISSING_AMONG_NUMBERS

_MARKED_NUMBER = re.compile(r"[+-]?[0-9][0-9.,' \u00a0\u2019\u202f_]*")


def cell_hint(name: str, text: str, column: ColumnType | None, csv_format: CsvFormat) -> str:
    """Return the hint for a cell.

    Args:
        name: Name of the column.
        text: Text of the cell.
        column: Type of the column; None for a column that only groups rows.
        csv_format: Format of the file.
    """
    if csv_format.is_missing(text):
        return _missing_hint(name, column)
    if hint := notation_hint(text, column, csv_format):
        return hint
    if isinstance(column, Category):
        return f"Correct or remove that row, or add the text to the levels of {name}."
    return (
        "Correct or remove that row, or change the column's `type:` in housectl.yaml, or move the "
        "column to `exclude:`."
    )


def notation_hint(text: str, column: ColumnType | None, csv_format: CsvFormat) -> str | None:
    """Return the hint for a cell that is probably a number or a missing value; None for others."""
    if _is_usually_missing(text.strip(), column):
        spellings = json.dumps([*csv_format.missing, text.strip()])
        return (
            f"If that is a missing value, add `csv: {{missing: {spellings}}}` to housectl.yaml. A "
            "feature also needs `nullable: true`."
        )
    if isinstance(column, Number) and _MARKED_NUMBER.fullmatch(text.strip()):
        return (
            "If that is a number, name its marks in housectl.yaml, such as "
            '`csv: {decimal: ",", thousands: "."}`; otherwise correct or remove that row.'
        )
    return None


def _is_usually_missing(text: str, column: ColumnType | None) -> bool:
    if text in MISSING:
        return True
    return not isinstance(column, Category) and text.lower() in MISSING_AMONG_NUMBERS


def _missing_hint(name: str, column: ColumnType | None) -> str:
    if column is None or column.nullable:
        return "Fill the cell, or remove the row."
    return (
        f"Fill the cell or remove the row, or add `nullable: true` to {name} under `features:` in "
        "housectl.yaml."
    )
