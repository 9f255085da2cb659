"""Data files: CSV, plain or compressed, and Parquet, read as rows of texts.

The content decides how a file is read, not its name.
"""

import csv
from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TextIO

from housectl.contract.data.csv_format import DEFAULT_FORMAT, CsvFormat
from housectl.contract.data.text_file import FileKind, file_kind, open_text
from housectl.errors import DataError

MAX_LINE_LENGTH = 2**24
"""Largest number of characters of a line."""
MAX_COLUMNS = 20_000
"""Largest number of columns."""

Row = tuple[int, list[str]]
"""The number of a line, and its cells."""


def format_of_cells(path: Path, csv_format: CsvFormat) -> CsvFormat:
    """Return the format of the cells that `read_rows` yields.

    Raises:
        DataError: The file cannot be read.
    """
    is_parquet = file_kind(path) is FileKind.PARQUET
    return CsvFormat(missing=csv_format.missing) if is_parquet else csv_format


def read_rows(path: Path, csv_format: CsvFormat = DEFAULT_FORMAT) -> Iterator[Row]:
    """Yield the header of a data file, then its rows. Blank lines are left out.

    A row of Parquet is numbered like that of a CSV file, with the header as line 1.

    Raises:
        DataError: The file cannot be read, is damaged, or exceeds a limit.
    """
    if file_kind(path) is FileKind.PARQUET:
        from housectl.contract.data.parquet_file import read_parquet_rows

        return _with_bounded_header(path, read_parquet_rows(path))
    return _with_bounded_header(path, _read_csv_rows(path, csv_format))


def _with_bounded_header(path: Path, rows: Iterator[Row]) -> Iterator[Row]:
    for row in islice(rows, 1):
        if len(row[1]) > MAX_COLUMNS:
            raise DataError(
                f"{path} is too wide: it has {len(row[1])} columns, but at most {MAX_COLUMNS} are "
                "allowed.",
                hint=f"head -1 {quote(str(path))} | cut -c 1-200   # are these lines columns? "
                "Remove columns that no model uses.",
            )
        yield row
    yield from rows


def _read_csv_rows(path: Path, csv_format: CsvFormat) -> Iterator[Row]:
    with open_text(path, csv_format.encoding) as text:
        yield from _data_rows(_numbered_rows(text, path, csv_format), csv_format)


def _numbered_rows(text: TextIO, path: Path, csv_format: CsvFormat) -> Iterator[Row]:
    lines = _checked(_row_lines(text, csv_format))
    reader = csv.reader(lines, delimiter=csv_format.separator, strict=True)
    skipped = csv_format.skip_lines
    line = skipped
    try:
        for cells in reader:
            line = reader.line_num + skipped
            if cells:
                yield line, cells
    except csv.Error as error:
        raise _damaged_row(path, line + 1, error) from error
    except _InvalidLineError as error:
        raise _invalid_line(path, reader.line_num + skipped + 1, error) from error


def _data_rows(rows: Iterator[Row], csv_format: CsvFormat) -> Iterator[Row]:
    """Yield the header and the rows, without a row of units and without empty cells beyond both.

    Some programs end each row with a separator.
    """
    first = next(rows, None)
    if first is None:
        return
    yield first
    if csv_format.units_row:
        next(rows, None)
    width = len(first[1])
    for line, cells in rows:
        is_longer = len(cells) > width and not any(map(str.strip, cells[width:]))
        yield line, cells[:width] if is_longer else cells


class _InvalidLineError(Exception):
    """A line that no CSV file has; the text is the problem."""


def _row_lines(text: TextIO, csv_format: CsvFormat) -> Iterator[str]:
    """Return the lines of the header and of the rows."""
    lines = iter(partial(text.readline, MAX_LINE_LENGTH), "")
    if csv_format.skip_lines:
        lines = islice(lines, csv_format.skip_lines, None)
    return _without_footer(lines, csv_format.footer_lines) if csv_format.footer_lines else lines


def _checked(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise _InvalidLineError("it has a NUL byte")
        if len(line) == MAX_LINE_LENGTH:
            raise _InvalidLineError(f"it has {MAX_LINE_LENGTH} characters or more")
        yield line


def _without_footer(lines: Iterator[str], count: int) -> Iterator[str]:
    latest = deque(islice(lines, count))
    for line in lines:
        latest.append(line)
        yield latest.popleft()


def _invalid_line(path: Path, line: int, error: _InvalidLineError) -> DataError:
    return DataError(
        f"{path}, line {line}: the line is no row of a CSV file: {error}.",
        hint=f"file {quote(str(path))}   # export the data again, as CSV",
    )


def _damaged_row(path: Path, line: int, error: csv.Error) -> DataError:
    return DataError(
        f"{path}, line {line}: the row is not CSV: {error}.",
        hint="Close the quotes of that row, and double each quote inside of a cell.",
    )
