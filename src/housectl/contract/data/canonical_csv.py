"""The canonical form of a data file: the CSV file that all trainers read.

A CSV file of the default format is its own canonical form. The canonical form of another file has
the columns of its model in the default format: UTF-8, commas, decimal points, and empty cells for
missing values.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from housectl.contract.data.column_readers import TextReader
from housectl.contract.data.csv_format import DEFAULT_FORMAT, CsvFormat
from housectl.contract.data.table_chunks import read_chunks
from housectl.contract.data.text_file import FileKind, file_kind, unreadable_error
from housectl.contract.files import file_digest, translate_disk_errors
from housectl.contract.recipe import Split
from housectl.contract.regular_files import open_regular
from housectl.contract.schema import Schema


@contextmanager
def open_canonical(
    path: Path, schema: Schema, split: Split, csv_format: CsvFormat, *, temp: Path
) -> Iterator[BinaryIO]:
    """Open the canonical form of a data file, of which only parts are in memory.

    Args:
        path: The data file.
        schema: Its schema.
        split: The recipe's split.
        csv_format: Format of the data file.
        temp: Directory for a temporary file, if the canonical form is another file.

    Raises:
        DataError: The file cannot be read, or a cell is invalid.
        LocalEnvironmentError: The disk is full, read-only or not writable.
    """
    if not _is_canonical(path, csv_format):
        with _converted(path, schema, split, csv_format, temp) as file:
            yield file
        return
    try:
        with open_regular(path) as file:
            yield file
    except OSError as error:
        raise unreadable_error(path, error) from error


@contextmanager
def _converted(
    path: Path, schema: Schema, split: Split, csv_format: CsvFormat, temp: Path
) -> Iterator[BinaryIO]:
    with ExitStack() as stack:
        with translate_disk_errors(temp):
            temp.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(TemporaryFile(dir=temp))
            file.writelines(_convert(path, schema, split, csv_format))
            file.seek(0)
        yield file


def canonical_digest(path: Path, schema: Schema, split: Split, csv_format: CsvFormat) -> str:
    """Return the sha256 of a data file's canonical form.

    Raises:
        DataError: The file cannot be read, or a cell is invalid.
    """
    if not _is_canonical(path, csv_format):
        digest = hashlib.sha256()
        for part in _convert(path, schema, split, csv_format):
            digest.update(part)
        return digest.hexdigest()
    try:
        return file_digest(path)
    except OSError as error:
        raise unreadable_error(path, error) from error


def _is_canonical(path: Path, csv_format: CsvFormat) -> bool:
    return csv_format == DEFAULT_FORMAT and file_kind(path) is FileKind.PLAIN


def _convert(path: Path, schema: Schema, split: Split, csv_format: CsvFormat) -> Iterator[bytes]:
    columns = (*schema.feature_names, schema.target.name, split.group, split.time_column)
    names = list(dict.fromkeys(name for name in columns if name is not None))
    yield csv_lines([names])
    chunks = read_chunks(path, schema, csv_format, group=split.group, time=split.time_column)
    for chunk in chunks:
        readers = {name: TextReader(chunk.types.get(name), chunk.csv_format) for name in names}
        for name, reader in readers.items():
            chunk.read(name, reader)
        yield csv_lines(zip(*(reader.values for reader in readers.values()), strict=True))


def csv_lines(rows: Iterable[Sequence[str]], *, separator: str = ",") -> bytes:
    """Return rows as lines of CSV in UTF-8; readers get back the same cells."""
    content = list(rows)
    # Python's csv quotes a cell with a line feed, but not one with a carriage return alone.
    has_returns = any("\r" in cell for row in content for cell in row)
    text = io.StringIO()
    writer = csv.writer(
        text,
        delimiter=separator,
        lineterminator="\n",
        quoting=csv.QUOTE_ALL if has_returns else csv.QUOTE_MINIMAL,
    )
    writer.writerows(content)
    return text.getvalue().encode()
