"""The canonical form of a data file: the CSV file that all trainers read.

A CSV file of the default format is its own canonical form. The canonical form of another file has
the columns of its model in the default format: UTF-8, commas, decimal points, and empty cells for
missing values.
"""

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

from housectl.contract.column_readers import TextReader
from housectl.contract.csv_format import DEFAULT_FORMAT, CsvFormat
from housectl.contract.data_file import FileKind, file_kind, unreadable_error
from housectl.contract.files import file_digest
from housectl.contract.recipe import Split
from housectl.contract.regular_files import open_regular
from housectl.contract.schema import Schema
from housectl.contract.table_chunks import read_chunks


def canonical_csv(path: Path, schema: Schema, split: Split, csv_format: CsvFormat) -> bytes:
    """Return the canonical form of a data file.

    Raises:
        DataError: The file cannot be read, or a cell is invalid.
    """
    if not _is_canonical(path, csv_format):
        return _convert(path, schema, split, csv_format)
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise unreadable_error(path, error) from error


def canonical_digest(path: Path, schema: Schema, split: Split, csv_format: CsvFormat) -> str:
    """Return the sha256 of a data file's canonical form.

    Raises:
        DataError: The file cannot be read, or a cell is invalid.
    """
    if not _is_canonical(path, csv_format):
        return hashlib.sha256(_convert(path, schema, split, csv_format)).hexdigest()
    try:
        return file_digest(path)
    except OSError as error:
        raise unreadable_error(path, error) from error


def _is_canonical(path: Path, csv_format: CsvFormat) -> bool:
    return csv_format == DEFAULT_FORMAT and file_kind(path) is FileKind.PLAIN


def _convert(path: Path, schema: Schema, split: Split, csv_format: CsvFormat) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = list(dict.fromkeys(name for name in _names(schema, split) if name is not None))
    writer.writerow(names)
    chunks = read_chunks(path, schema, csv_format, group=split.group, time=split.time_column)
    for chunk in chunks:
        columns = [TextReader(chunk.types.get(name), chunk.csv_format) for name in names]
        for name, column in zip(names, columns, strict=True):
            chunk.read(name, column)
        writer.writerows(zip(*(column.values for column in columns), strict=True))
    return text.getvalue().encode()


def _names(schema: Schema, split: Split) -> Iterator[str | None]:
    yield from schema.feature_names
    yield schema.target.name
    yield from (split.group, split.time_column)
