"""The required columns of a data file, in chunks of rows that have a target."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, filterfalse, islice
from operator import itemgetter, not_
from pathlib import Path

from housectl.contract.column_types import ColumnType, Datetime, Number
from housectl.contract.data.cell_hints import cell_hint
from housectl.contract.data.column_readers import ColumnError, ColumnReader
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.data_file import format_of_cells, read_rows
from housectl.contract.data.table_header import column_indices
from housectl.contract.data.text_cells import read_plain_numbers
from housectl.contract.schema import Schema
from housectl.errors import DataError

_CHUNK_ROWS = 256
_CHUNK_CELLS = 2**17


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some rows of a data file.

    Attributes:
        path: The file.
        csv_format: Format of the file.
        indices: Index of each column by name.
        types: Type of each feature, of the target and of the time column.
        lines: Line of each row that has a target.
        rows: Cells of each row that has a target.
        dropped: Number of rows whose target is missing.
    """

    path: Path
    csv_format: CsvFormat
    indices: Mapping[str, int]
    types: Mapping[str, ColumnType]
    lines: Sequence[int]
    rows: Sequence[Sequence[str]]
    dropped: int

    def texts(self, name: str) -> list[str]:
        """Return the cells of a column."""
        return list(map(itemgetter(self.indices[name]), self.rows))

    def read(self, name: str, reader: ColumnReader) -> None:
        """Read the cells of a column.

        Raises:
            DataError: The column does not accept a cell.
        """
        try:
            reader.extend(self.texts(name))
        except ColumnError as error:
            line = self.lines[error.index]
            raise DataError(
                f"{self.path}, line {line}, column {name}: {self._problem(error)}.",
                hint=error.hint
                or cell_hint(name, error.text, self.types.get(name), self.csv_format),
            ) from error

    def _problem(self, error: ColumnError) -> str:
        if not error.text.strip():
            return "the cell is empty"
        if self.csv_format.is_missing(error.text):
            return f"the value is missing: {error.text.strip()!r}"
        return str(error)


def read_chunks(
    path: Path, schema: Schema, csv_format: CsvFormat, *, group: str | None, time: str | None
) -> Iterator[Chunk]:
    """Yield all rows of a data file.

    Args:
        path: The file.
        schema: Its features and its target are required.
        csv_format: Format of the file, if it is CSV.
        group: A further required column.
        time: A further required column, with numbers or ISO 8601 dates unless it is a feature.

    Raises:
        DataError: The file cannot be read, a column is missing or unknown, or a row has another
            number of cells than the header.
    """
    rows = read_rows(path, csv_format)
    csv_format = format_of_cells(path, csv_format)
    line, header = next(rows, (csv_format.skip_lines + 1, []))
    extra = [name for name in (group, time) if name is not None]
    indices = column_indices(header, schema, csv_format, extra=extra, place=f"{path}, line {line}")
    types: dict[str, ColumnType] = {each.name: each.type for each in schema.features}
    types[schema.target.name] = Number()
    size = min(_CHUNK_ROWS, max(1, _CHUNK_CELLS // len(header)))
    while chunk := list(islice(rows, size)):
        lines, cells = zip(*chunk, strict=True)
        check_widths(path, lines, cells, len(header))
        if time is not None and time not in types:
            types[time] = _guess_time_type([row[indices[time]] for row in cells], csv_format)
        targets = [row[indices[schema.target.name]] for row in cells]
        kept = list(map(not_, csv_format.find_missing(targets)))
        yield Chunk(
            path=path,
            csv_format=csv_format,
            indices=indices,
            types=types,
            lines=list(compress(lines, kept)),
            rows=list(compress(cells, kept)),
            dropped=kept.count(False),
        )


def _guess_time_type(texts: Sequence[str], csv_format: CsvFormat) -> ColumnType:
    first = next(filterfalse(csv_format.is_missing, texts), "")
    number = csv_format.plain_number(first)
    is_number = number is not None and read_plain_numbers([number]) is not None
    return Number() if is_number else Datetime()


def check_widths(path: Path, lines: Sequence[int], rows: Sequence[list[str]], width: int) -> None:
    """Check that each row has as many cells as the header.

    Raises:
        DataError: A row has another number of cells.
    """
    if set(map(len, rows)) == {width}:
        return
    line, row = next(each for each in zip(lines, rows, strict=True) if len(each[1]) != width)
    raise DataError(
        f"{path}, line {line}: the line has {len(row)} cells, but the header has {width}.",
        hint="Correct that line of the data file. If it is a title or a total, add "
        "`csv: {skip_lines: N, footer_lines: N}` to housectl.yaml.",
    )
