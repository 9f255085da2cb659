"""A row below the header that has the units of the columns."""

from collections.abc import Mapping, Sequence
from itertools import islice

from housectl.contract.data.csv_format import CsvFormat
from housectl.scaffold.file_format.data_columns import DataColumns
from housectl.scaffold.file_format.number_text import parse_number


def find_units(columns: DataColumns, csv_format: CsvFormat) -> Mapping[str, str] | None:
    """Return the unit of each column of numbers; None if the first row has no units.

    The row has no number, and a text above most columns of numbers.
    """
    heads = {name: columns.head(name) for name in columns.names}
    first = {name: cells[0] for name, cells in heads.items() if _has_numbers(cells, csv_format)}
    units = {name: text for name, text in first.items() if not csv_format.is_missing(text)}
    if len(units) * 2 < len(first) or not units:
        return None
    if any(parse_number(text, csv_format) is not None for text in units.values()):
        return None
    return units


def _has_numbers(cells: Sequence[str], csv_format: CsvFormat) -> bool:
    """Return True if the cells below the first one are numbers or missing."""
    present = [text for text in islice(cells, 1, None) if not csv_format.is_missing(text)]
    return bool(present) and all(parse_number(text, csv_format) is not None for text in present)
