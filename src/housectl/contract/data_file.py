"""Data files: CSV, plain or compressed, and Parquet, read as rows of texts.

The content decides how a file is read, not its name.
"""

import codecs
import csv
import io
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import partial
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import IO, BinaryIO, TextIO

from housectl.contract.csv_format import DEFAULT_FORMAT, CsvFormat
from housectl.contract.regular_files import open_regular
from housectl.errors import DataError

MAX_UNPACKED_BYTES = 2**30
"""Largest size of a compressed file's content."""
MAX_LINE_LENGTH = 2**24
"""Largest number of characters of a line."""

Row = tuple[int, list[str]]
"""The number of a line, and its cells."""


class FileKind(Enum):
    """Kind of a data file, with its first bytes."""

    PLAIN = b""
    GZIP = b"\x1f\x8b"
    ZIP = b"PK\x03\x04"
    PARQUET = b"PAR1"


def file_kind(path: Path) -> FileKind:
    """Return the kind of a data file.

    Raises:
        DataError: The file cannot be read.
    """
    with _translate_errors(path, DEFAULT_FORMAT.encoding), open_regular(path) as file:
        return _kind(file)


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
        from housectl.contract.parquet_file import read_parquet_rows

        return read_parquet_rows(path)
    return _read_csv_rows(path, csv_format)


def _read_csv_rows(path: Path, csv_format: CsvFormat) -> Iterator[Row]:
    skipped = csv_format.skip_lines
    with open_text(path, csv_format.encoding) as text:
        lines = _checked(_row_lines(text, csv_format))
        reader = csv.reader(lines, delimiter=csv_format.separator, strict=True)
        line = skipped
        rows = ((reader.line_num + skipped, cells) for cells in reader if cells)
        try:
            for line, cells in _data_rows(rows, csv_format):
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


def _kind(file: io.BufferedReader) -> FileKind:
    start = file.peek(4)
    kinds = (FileKind.GZIP, FileKind.ZIP, FileKind.PARQUET)
    kind = next((kind for kind in kinds if start.startswith(kind.value)), FileKind.PLAIN)
    # A column of a CSV file may also be called PAR1.
    if kind is FileKind.PARQUET and not _ends_with(file, kind.value):
        return FileKind.PLAIN
    return kind


def _ends_with(file: io.BufferedReader, end: bytes) -> bool:
    file.seek(-len(end), io.SEEK_END)
    found = file.read()
    file.seek(0)
    return found == end


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[TextIO]:
    """Open the text of a file, which may be compressed; line ends are kept.

    Raises:
        DataError: The file cannot be read, is damaged, or has another encoding, now or later.
    """
    # A byte order mark is no part of the first column's name.
    decoder = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    with (
        _translate_errors(path, encoding),
        open_regular(path) as file,
        _unpacked(path, file) as content,
    ):
        yield io.TextIOWrapper(content, encoding=decoder, newline="")


@contextmanager
def _unpacked(path: Path, file: io.BufferedReader) -> Iterator[BinaryIO]:
    kind = _kind(file)
    if kind is FileKind.GZIP:
        import gzip

        with gzip.GzipFile(fileobj=file) as content:
            yield io.BufferedReader(_BoundedReader(content, path))
    elif kind is FileKind.ZIP:
        from housectl.contract.zip_member import open_only_member

        with open_only_member(path, file) as member:
            yield io.BufferedReader(_BoundedReader(member, path))
    else:
        yield file


class _BoundedReader(io.RawIOBase):
    """Reads the content of a compressed file up to a limit."""

    def __init__(self, source: IO[bytes] | io.BufferedIOBase, path: Path) -> None:
        self._source = source
        self._path = path
        self._left = MAX_UNPACKED_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        data = self._source.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise DataError(
                f"{self._path} is too large: its content has more than "
                f"{MAX_UNPACKED_BYTES // 2**20} MiB.",
                hint="Divide the file, or remove columns that no model uses.",
            )
        buffer[: len(data)] = data
        return len(data)


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


@contextmanager
def _translate_errors(path: Path, encoding: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error) as error:
        raise _damaged_archive(path, error) from error
    except UnicodeError as error:
        raise _wrong_encoding(path, encoding, error) from error
    except OSError as error:
        # The errors of gzip have no number.
        translate = unreadable_error if error.errno else _damaged_archive
        raise translate(path, error) from error


def unreadable_error(path: Path, error: OSError) -> DataError:
    """Return the error of a data file that cannot be read."""
    return DataError(
        f"Cannot read the data file {path}: {error.strerror}.",
        hint="Set `data:` in housectl.yaml to an existing CSV file.",
    )


def _damaged_archive(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} is damaged: {error}.",
        hint=f"file {quote(str(path))}   # copy or download the file again",
    )


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


def _wrong_encoding(path: Path, encoding: str, error: UnicodeError) -> DataError:
    with open_regular(path) as file:
        is_utf16 = file.peek(2).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        is_plain = _kind(file) is FileKind.PLAIN and not is_utf16
        has_byte_lines = is_plain and "\n".encode(encoding) == b"\n"
        line = _first_wrong_line(file, encoding) if has_byte_lines else None
    place = f", line {line}" if line else ""
    likely = "utf-16" if is_utf16 else "latin-1"
    cause = error.reason if isinstance(error, UnicodeDecodeError) else error
    return DataError(
        f"{path}{place}: the text is not in {encoding}: {cause}.",
        hint=f"Name the encoding in housectl.yaml, for example `csv: {{encoding: {likely}}}`, "
        "or save the file as UTF-8.",
    )


def _first_wrong_line(file: BinaryIO, encoding: str) -> int | None:
    """Return the number of the first line that is not in an encoding, if lines end with a byte."""
    for number, line in enumerate(iter(partial(file.readline, MAX_LINE_LENGTH), b""), start=1):
        try:
            line.decode(encoding)
        except UnicodeError:
            return number
    return None
