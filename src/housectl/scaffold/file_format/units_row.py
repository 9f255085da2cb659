"""A row below the header that has the units of the columns."""

from collections.abc import Mapping

from housectl.contract.data.csv_format import CsvFormat
from housectl.scaffold.file_format.data_columns import DataColumns
from housectl.scaffold.file_format.number_text import are_numbers, parse_number


def find_units(columns: DataColumns, csv_format: CsvFormat) -> Mapping[str, str] | None:
    """Return the unit of each column of numbers; None if the first row has no units.

    The row has no number, and a text above most columns of numbers.
    """
    heads = {name: columns.head(name) for name in columns.names}
    first = {name: cells[0] for name, cells in heads.items() if are_numbers(cells[1:], csv_format)}
    units = {name: text for name, text in first.items() if not csv_format.is_missing(text)}
    if len(units) * 2 < len(first) or not units:
        return None
    if any(parse_number(text, csv_format) is not None for text in units.values()):
        return None
    return units
