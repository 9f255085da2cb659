"""The columns of a data file as texts, and the lines after its last row."""

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.data_file import Row, read_rows
from housectl.contract.data.table_header import column_names
from housectl.contract.data.text_file import open_text
from housectl.errors import DataError
from housectl.scaffold.file_format.shell_commands import print_lines

# The reader of data files refuses cells with NUL.
_BETWEEN_CELLS = "\0"
_CHUNK_ROWS = 4096
_MAX_FOOTER_ROWS = 20
_SUMMARY = re.compile(r"(?i)\W*(grand |sub)?(total|sum|average|mean|count|source|note)s?\b.*")


@dataclass(frozen=True, kw_only=True)
class DataColumns:
    """The cells of a data file, by columns.

    Attributes:
        names: Names of the columns, in the file's order.
        lines: Line number of each row, with a row of units.
        chunks: The joined cells of many rows, for each column.
        footer_lines: Number of lines below the last row, if they are no data.
        units: Units in the row below the header, by column; None without such a row.
    """

    names: Sequence[str]
    lines: "array[int]"
    chunks: Sequence[Sequence[str]]
    footer_lines: int
    units: Mapping[str, str] | None = None

    def cells(self, name: str) -> list[str]:
        """Return the text of each row, without spaces around it."""
        chunks = self.chunks[self._places[name]]
        return [text for chunk in chunks for text in _split(chunk)][self._first_row :]

    def cell_chunks(self, name: str) -> Iterator[list[str]]:
        """Yield the texts of all rows, also those of a row of units, in chunks."""
        return map(_split, self.chunks[self._places[name]])

    def head(self, name: str) -> list[str]:
        """Return the texts of the first rows."""
        chunks = self.chunks[self._places[name]]
        return _split(chunks[0])[self._first_row :] if chunks else []

    @property
    def row_lines(self) -> Sequence[int]:
        """Line number of each row."""
        return self.lines[self._first_row :]

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    @property
    def _first_row(self) -> int:
        return 0 if self.units is None else 1


def read_columns(path: Path, csv_format: CsvFormat) -> DataColumns:
    """Read all cells of a data file.

    Raises:
        DataError: The file cannot be read, or a row has another number of cells than the header.
    """
    rows = read_rows(path, csv_format)
    _, header = next(rows, (0, []))
    collector = _Collector(path, width=len(header))
    for row in rows:
        collector.add(row)
    last_line = collector.finish()
    return DataColumns(
        names=[name.strip() for name in column_names(header)],
        lines=collector.lines,
        chunks=collector.chunks,
        footer_lines=_lines_after(path, csv_format, last_line) if collector.has_footer else 0,
    )


class _Collector:
    """Collects rows as columns; rows below the data are left out.

    The cells of a column are joined, because many short texts need much more memory.
    """

    def __init__(self, path: Path, *, width: int) -> None:
        self.lines = array("L")
        self.chunks: list[list[str]] = [[] for _ in range(width)]
        self.has_footer = False
        self._path = path
        self._width = width
        self._rows: list[Row] = []
        self._odd_rows: list[Row] = []

    def add(self, row: Row) -> None:
        """Add a row.

        Raises:
            DataError: An earlier row has a wrong number of cells, so it is not below the data.
        """
        if len(row[1]) != self._width:
            self._odd_rows.append(row)
        elif self._odd_rows:
            raise self._width_error(self._odd_rows[0])
        else:
            self._rows.append(row)
        if len(self._rows) >= _CHUNK_ROWS + _MAX_FOOTER_ROWS:
            self._flush(_CHUNK_ROWS)

    def finish(self) -> int:
        """Add the last rows, and return the number of the last row's line.

        Raises:
            DataError: A row has a wrong number of cells.
        """
        for row in self._odd_rows:
            if not _is_note(row) or len(self._odd_rows) > _MAX_FOOTER_ROWS:
                raise self._width_error(row)
        data = len(self._rows)
        while data and _is_summary(self._rows[data - 1]):
            data -= 1
        self.has_footer = bool(self._odd_rows) or data < len(self._rows)
        self._flush(data)
        return self.lines[-1] if self.lines else 0

    def _flush(self, count: int) -> None:
        rows, self._rows = self._rows[:count], self._rows[count:]
        if not rows:
            return
        self.lines.extend(line for line, _ in rows)
        cells = zip(*(cells for _, cells in rows), strict=True)
        for chunks, column in zip(self.chunks, cells, strict=True):
            chunks.append(_BETWEEN_CELLS.join(column))

    def _width_error(self, row: Row) -> DataError:
        line, cells = row
        return DataError(
            f"{self._path}, line {line}: the line has {len(cells)} cells, but the header has "
            f"{self._width}.",
            hint=f"{print_lines(self._path, f'sed -n {line}p')}   # then correct that line",
        )


def _split(chunk: str) -> list[str]:
    return [text.strip() for text in chunk.split(_BETWEEN_CELLS)]


def _is_note(row: Row) -> bool:
    """Return True for a row with one text, or with a word for a summary."""
    filled = [cell for cell in row[1] if cell.strip()]
    return len(filled) <= 1 or bool(_SUMMARY.fullmatch(filled[0]))


def _is_summary(row: Row) -> bool:
    """Return True for a row with a word for a summary, and without most other cells."""
    filled = [cell for cell in row[1] if cell.strip()]
    return bool(filled) and len(filled) * 2 <= len(row[1]) and bool(_SUMMARY.fullmatch(filled[0]))


def _lines_after(path: Path, csv_format: CsvFormat, line: int) -> int:
    with open_text(path, csv_format.encoding) as text:
        return sum(1 for _ in text) - line
