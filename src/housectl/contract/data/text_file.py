"""Text files, plain or compressed, and the kinds of data files by their content."""

import codecs
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import partial
from pathlib import Path
from shlex import quote
from typing import IO, BinaryIO, TextIO

from housectl.contract.regular_files import open_regular
from housectl.errors import DataError

MAX_UNPACKED_BYTES = 2**30
"""Largest size of a compressed file's content."""
_MAX_LINE_BYTES = 2**24


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
    with _translate_errors(path, "utf-8"), open_regular(path) as file:
        return _kind(file)


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
        from housectl.contract.data.zip_member import open_only_member

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
    for number, line in enumerate(iter(partial(file.readline, _MAX_LINE_BYTES), b""), start=1):
        try:
            line.decode(encoding)
        except UnicodeError:
            return number
    return None
