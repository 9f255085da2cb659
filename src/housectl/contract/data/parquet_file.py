"""Parquet files, read as rows of texts by the library pyarrow."""

from collections.abc import Iterator
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from housectl.errors import DataError, LocalEnvironmentError

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

MAX_CELLS = 10**9
"""Largest number of cells: a small file can have any number of equal ones."""
_BATCH_ROWS = 4096


def read_parquet_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the header, then the rows, each with its number. Missing values are empty.

    Raises:
        LocalEnvironmentError: pyarrow is not installed.
        DataError: The file is damaged or too large.
    """
    _require_pyarrow()
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            _check_size(path, file)
            yield 1, list(file.schema_arrow.names)
            yield from enumerate(_rows(path, file), start=2)
    except (ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{path} is not a valid Parquet file: {' '.join(str(error).split()).rstrip('.')}.",
            hint="Write the file again, or export the data as CSV.",
        ) from error


def _require_pyarrow() -> None:
    if find_spec("pyarrow") is None:
        raise LocalEnvironmentError(
            "The library pyarrow, which reads Parquet files, is missing in this Python.",
            hint="pip install 'housectl[parquet]'",
        )


def _check_size(path: Path, file: "ParquetFile") -> None:
    rows, columns = file.metadata.num_rows, file.metadata.num_columns
    if rows * columns > MAX_CELLS:
        raise DataError(
            f"{path} is too large: {rows} rows of {columns} columns are more than "
            f"{MAX_CELLS} cells.",
            hint="Divide the file, or remove columns that no model uses.",
        )


def _rows(path: Path, file: "ParquetFile") -> Iterator[list[str]]:
    for batch in file.iter_batches(_BATCH_ROWS):
        columns = [[_text(value) for value in column.to_pylist()] for column in batch.columns]
        for name, texts in zip(batch.schema.names, columns, strict=True):
            # The reader of CSV files rejects NUL too, and init separates cells by it.
            if any("\0" in text for text in texts):
                raise DataError(
                    f"{path}: a text of column {name!r} has a NUL byte.",
                    hint="Write the file again without NUL bytes, or export the data as CSV.",
                )
        yield from map(list, zip(*columns, strict=True))


def _text(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124  # NaN
        return ""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)
