"""The rows of a data file that a model predicts: all columns as texts, and the features as doubles.

The target is not needed. Other columns are kept as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np

from housectl.contract.column_types import Category, Number
from housectl.contract.data.cell_hints import notation_hint
from housectl.contract.data.column_readers import ColumnError, NumberReader
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.data_file import Row, format_of_cells, read_rows
from housectl.contract.data.table_chunks import check_widths
from housectl.contract.data.table_header import column_names
from housectl.contract.schema import FLOAT32_MAXIMUM, Feature, Schema
from housectl.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK_ROWS = 1024
_CHUNK_CELLS = 2**17
_MAX_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class RowsToPredict:
    """Some rows of a data file.

    Attributes:
        lines: Line of each row.
        cells: Cells of each row.
        values: `(n, features)`, the doubles of the features' values; NaN if missing.
    """

    lines: Sequence[int]
    cells: Sequence[Sequence[str]]
    values: "NDArray[np.float64]"


class PredictionReader:
    """Reads a data file in chunks, of which only one is in memory.

    Args:
        path: The file.
        schema: Its features are required.
        csv_format: Format of the file, if it is CSV.

    Attributes:
        names: Names of all columns.

    Raises:
        DataError: The file cannot be read, or lacks a feature or has it twice.
        LocalEnvironmentError: The file is Parquet, and pyarrow is missing.
    """

    def __init__(self, path: Path, schema: Schema, csv_format: CsvFormat) -> None:
        self._path = path
        self._format = format_of_cells(path, csv_format)
        self._rows = read_rows(path, csv_format)
        line, header = next(self._rows, (csv_format.skip_lines + 1, []))
        self.names = column_names(header, schema.feature_names)
        places = _feature_places(self.names, schema, f"{path}, line {line}")
        self._columns = [
            _Column(feature, places[feature.name], self._format, path)
            for feature in schema.features
        ]

    def chunks(self) -> Iterator[RowsToPredict]:
        """Yield all rows.

        Raises:
            DataError: A row has another number of cells than the header, a feature does not accept
                a cell, or the file is damaged.
        """
        size = min(_CHUNK_ROWS, max(1, _CHUNK_CELLS // len(self.names)))
        while chunk := list(islice(self._rows, size)):
            yield self._read(chunk)

    def _read(self, chunk: Sequence[Row]) -> RowsToPredict:
        lines, cells = zip(*chunk, strict=True)
        check_widths(self._path, lines, cells, len(self.names))
        values = np.empty((len(chunk), len(self._columns)))
        for number, column in enumerate(self._columns):
            values[:, number] = column.read(lines, cells)
        return RowsToPredict(lines=lines, cells=cells, values=values)


class _Column:
    """Reads the cells of one feature."""

    def __init__(self, feature: Feature, place: int, csv_format: CsvFormat, path: Path) -> None:
        self._feature, self._format, self._path = feature, csv_format, path
        self._cell = itemgetter(place)
        self._reader = NumberReader(feature.type, csv_format)

    def read(self, lines: Sequence[int], cells: Sequence[Sequence[str]]) -> "NDArray[np.float64]":
        """Return the doubles of some rows.

        Raises:
            DataError: The feature does not accept a cell.
        """
        texts = list(map(self._cell, cells))
        try:
            self._reader.extend(texts)
        except ColumnError as error:
            raise self._error(lines[error.index], error.text, str(error)) from error
        values = np.array(self._reader.values)
        del self._reader.values[:]
        too_large = np.flatnonzero(np.abs(values) > FLOAT32_MAXIMUM)
        if isinstance(self._feature.type, Number) and len(too_large):
            place = int(too_large[0])
            raise self._error(lines[place], texts[place], "the number is too large for float32")
        return values

    def _error(self, line: int, text: str, problem: str) -> DataError:
        is_missing = self._format.is_missing(text)
        return DataError(
            f"{self._path}, line {line}, column {self._feature.name}: "
            f"{'the value is missing' if is_missing else problem}.",
            hint=self._hint(text, is_missing=is_missing),
        )

    def _hint(self, text: str, *, is_missing: bool) -> str:
        name, column = self._feature.name, self._feature.type
        if is_missing:
            return f"Fill the cell or remove the row: the model needs every value of {name}."
        if isinstance(column, Category):
            levels = ", ".join(map(repr, column.levels[:_MAX_SHOWN]))
            rest = len(column.levels) - _MAX_SHOWN
            return f"Correct or remove that row. The model knows {levels}" + (
                f" and {rest} more." if rest > 0 else "."
            )
        return notation_hint(text, column, self._format) or "Correct or remove that row."


def _feature_places(names: Sequence[str], schema: Schema, place: str) -> Mapping[str, int]:
    """Return the index of each feature's column.

    Raises:
        DataError: A column is missing or there twice.
    """
    counts = {name: names.count(name) for name in schema.feature_names}
    problems = [
        f"column {name!r} {'is missing' if count == 0 else f'occurs {count} times'}"
        for name, count in counts.items()
        if count != 1
    ]
    if problems:
        shown, rest = problems[:_MAX_SHOWN], len(problems) - _MAX_SHOWN
        more = [f"and {rest} more"] if rest > 0 else []
        file = place.partition(", line ")[0]
        raise DataError(
            f"{place}: {'; '.join([*shown, *more])}.",
            hint=f"head -1 {quote(file)}   # must name each feature of the model once; a file with "
            "another separator needs `csv: {separator: …}` in housectl.yaml",
        )
    return {name: names.index(name) for name in schema.feature_names}
