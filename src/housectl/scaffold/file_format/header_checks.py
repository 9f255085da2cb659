"""Checks of a header: duplicate names, and a missing header."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from shlex import quote

from housectl.contract.data.csv_format import CsvFormat
from housectl.errors import DataError
from housectl.scaffold.file_format.data_columns import DataColumns
from housectl.scaffold.file_format.number_text import are_numbers, parse_number
from housectl.scaffold.file_format.shell_commands import print_lines


def check_header(path: Path, columns: DataColumns, csv_format: CsvFormat) -> None:
    """Check that the names of the columns differ.

    Raises:
        DataError: Columns have the same name.
    """
    repeated = [name for name, count in Counter(columns.names).items() if count > 1]
    if not repeated:
        return
    places = "; ".join(f"{name!r} is that of columns {_places(columns, name)}" for name in repeated)
    header = print_lines(path, f"sed -n {csv_format.skip_lines + 1}p")
    raise DataError(
        f"{path}: column names occur more than once: {places}.",
        hint=f"{header}   # then rename the columns in the file",
    )


def check_header_exists(path: Path, columns: DataColumns, csv_format: CsvFormat) -> None:
    """Check that the first row has names.

    Raises:
        DataError: The first row looks like the rows below it.
    """
    if not _is_row(columns, csv_format):
        return
    count = len(columns.names)
    header = f"seq -s {quote(csv_format.separator)} -f column%g 1 {count}"
    command = f"({header}; {print_lines(path, 'cat')}) > with-header.csv"
    raise DataError(
        f"{path} has no header: its first line looks like the rows below it.",
        hint=f"{command} && housectl init --data with-header.csv --target column{count}",
    )


def _is_row(columns: DataColumns, csv_format: CsvFormat) -> bool:
    numeric = [name for name in columns.names if are_numbers(columns.head(name), csv_format)]
    numbers = [parse_number(name, csv_format) for name in numeric]
    found = [number for number in numbers if number is not None]
    if not found or len(found) < len(numbers):
        return False
    others = set(columns.names) - set(numeric)
    if any(not number.is_integer() for number in found):
        return True
    if others:
        return all(name in columns.head(name) for name in others)
    # A table of series has years or counts as names.
    return len({after - before for before, after in pairwise(found)}) > 1


def _places(columns: DataColumns, name: str) -> str:
    return " and ".join(str(place) for place, each in enumerate(columns.names, 1) if each == name)
