"""Dialect of a CSV file: its separator, and the lines before the header."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from shlex import quote

from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.text_file import FileKind, file_kind, open_text
from housectl.contract.regular_files import open_regular
from housectl.errors import DataError
from housectl.scaffold.file_format.shell_commands import print_lines
from housectl.scaffold.file_format.text_encoding import check_encoding, detect_encoding

_SEPARATORS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
_SAMPLE_CHARACTERS = 2**18
_SAMPLE_RECORDS = 500


@dataclass(frozen=True, kw_only=True)
class _Record:
    """A row of the sample, with the number of lines before it."""

    lines_before: int
    cells: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """The sample, read with one separator.

    Attributes:
        width: The most frequent number of cells above 1; 0 if all rows have one cell.
    """

    separator: str
    records: Sequence[_Record]
    width: int

    @property
    def quality(self) -> tuple[float, int]:
        """Share of rows with the most frequent number of cells, and that number."""
        fitting = sum(len(record.cells) == self.width for record in self.records)
        return fitting / max(1, len(self.records)), self.width


def detect_dialect(path: Path, *, target: str, encoding: str | None) -> CsvFormat:
    """Return the format of a data file, as far as single cells do not matter.

    Args:
        path: The file.
        target: The column to predict, for hints.
        encoding: Encoding of the file; None to detect it.

    Raises:
        DataError: The file cannot be read, has an unknown encoding, or only one column.
        UsageError: The encoding is unknown.
    """
    _check_readable(path)
    if file_kind(path) is FileKind.PARQUET:
        return CsvFormat()
    encoding = check_encoding(encoding) if encoding else detect_encoding(path, target=target)
    with open_text(path, encoding) as text:
        # Unlike splitlines(), this divides lines as files do, so not at U+2028 or a form feed.
        sample = [*StringIO(text.read(_SAMPLE_CHARACTERS), newline="")]
    if len(sample) > 1 and not sample[-1].endswith(("\n", "\r")):
        del sample[-1]
    reading = _best_reading(sample)
    if not reading.width:
        raise _one_column_error(path, reading)
    return CsvFormat(
        separator=reading.separator, encoding=encoding, skip_lines=_lines_before_header(reading)
    )


def _check_readable(path: Path) -> None:
    try:
        with open_regular(path):
            pass
    except OSError as error:
        raise DataError(
            f"Cannot read {path}: {error.strerror}.", hint=f"ls -l {quote(str(path.parent))}"
        ) from error


def _best_reading(sample: Sequence[str]) -> _Reading:
    named = _SEPARATOR_LINE.fullmatch(sample[0]) if sample else None
    separators = (named[1],) if named else _SEPARATORS
    return max((_read(sample, each) for each in separators), key=lambda each: each.quality)


def _read(sample: Sequence[str], separator: str) -> _Reading:
    records = [*islice(_records(sample, separator), _SAMPLE_RECORDS)]
    widths = Counter(len(record.cells) for record in records if len(record.cells) > 1)
    width = max(widths, key=lambda each: (widths[each], each), default=0)
    return _Reading(separator=separator, records=records, width=width)


def _records(sample: Sequence[str], separator: str) -> Iterator[_Record]:
    reader = csv.reader(sample, delimiter=separator)
    lines_before = 0
    try:
        for cells in reader:
            if cells:
                yield _Record(lines_before=lines_before, cells=cells)
            lines_before = reader.line_num
    except csv.Error:
        # The reader of all rows reports that line.
        return


def _lines_before_header(reading: _Reading) -> int:
    first, *_ = reading.records
    header = next(
        (each for each in reading.records if _may_be_header(each.cells, reading.width)), first
    )
    return 0 if header is first else header.lines_before


def _may_be_header(cells: Sequence[str], width: int) -> bool:
    filled = sum(bool(cell.strip()) for cell in cells)
    return width - 1 <= len(cells) <= width and filled > width / 2 and cells[0][:1] != "#"


def _one_column_error(path: Path, reading: _Reading) -> DataError:
    if not reading.records:
        return DataError(
            f"{path} has no header: the file is empty.", hint=f"ls -l {quote(str(path))}"
        )
    return DataError(
        f"{path} has only one column; a target and a feature are required.",
        hint=f"{print_lines(path, 'head -3')}   # separate the columns by commas",
    )
