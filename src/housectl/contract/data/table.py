"""Reader of data files as doubles; its errors name the line and the column."""

from array import array
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from shlex import quote

import msgspec

from housectl.contract.column_types import Category
from housectl.contract.data.column_readers import (
    GroupReader,
    NumberReader,
    PositiveReader,
    TextReader,
)
from housectl.contract.data.csv_format import DEFAULT_FORMAT, CsvFormat
from housectl.contract.data.table_chunks import Chunk, read_chunks
from housectl.contract.schema import Schema, Target, Transform
from housectl.errors import DataError

MINIMUM_ROWS = 100


@dataclass(frozen=True, kw_only=True)
class Table:
    """The columns of a data file, without the rows whose target is missing.

    Attributes:
        numbers: Values of each feature and of the target, as doubles; NaN if missing.
        texts: Texts of each category, also of those that are no levels; empty if missing.
        groups: Text of each row's group column; empty without a group column.
        times: Time of each row: a number, or the seconds of a date since 1970; empty without a
            time column.
        dropped: Number of rows whose target is missing.
    """

    numbers: "dict[str, array[float]]"
    texts: dict[str, tuple[str, ...]]
    groups: tuple[str, ...]
    times: "array[float]"
    dropped: int

    def __len__(self) -> int:
        return len(next(iter(self.numbers.values())))


def read_table(
    path: Path,
    schema: Schema,
    *,
    csv_format: CsvFormat = DEFAULT_FORMAT,
    group: str | None = None,
    time: str | None = None,
) -> Table:
    """Read the features, the target, the group column and the time column of a data file.

    Excluded columns are accepted in the header; their cells are not read.

    Args:
        path: The file.
        schema: The columns with their types.
        csv_format: Format of the file, if it is CSV.
        group: Column whose rows with the same value belong together.
        time: Column with the time of each row: a feature, or an excluded column with numbers or
            ISO 8601 dates.

    Raises:
        DataError: A column is missing or unknown, a cell is invalid, a cell of a column that is not
            nullable is missing, or there are fewer than 100 rows.
    """
    chunks = read_chunks(path, schema, csv_format, group=group, time=time)
    first = next(chunks, None)
    if first is None:
        raise _too_few_rows(0, 0, path)
    readers = _TableReaders(first, schema.target, group, time)
    dropped = 0
    for chunk in chain([first], chunks):
        readers.read(chunk)
        dropped += chunk.dropped
    table = readers.table(schema, dropped)
    if len(table) < MINIMUM_ROWS:
        raise _too_few_rows(len(table), dropped, path)
    return table


class _TableReaders:
    """The readers of all columns of a table, by the names of the columns."""

    def __init__(self, first: Chunk, target: Target, group: str | None, time: str | None) -> None:
        types, csv_format = first.types, first.csv_format
        self._numbers = {name: NumberReader(each, csv_format) for name, each in types.items()}
        if target.transform is Transform.LOG:
            self._numbers[target.name] = PositiveReader(types[target.name], csv_format)
        self._texts = {
            name: TextReader(each, csv_format)
            for name, each in types.items()
            if isinstance(each, Category)
        }
        self._groups = {group: GroupReader(types.get(group), csv_format)} if group else {}
        self._times = {}
        if time is not None:
            required = msgspec.structs.replace(types[time], nullable=False)
            self._times[time] = NumberReader(required, csv_format)

    def read(self, chunk: Chunk) -> None:
        """Read the cells of all columns."""
        for readers in (self._numbers, self._texts, self._groups, self._times):
            for name, reader in readers.items():
                chunk.read(name, reader)

    def table(self, schema: Schema, dropped: int) -> Table:
        """Return the table of the rows so far."""
        names = (*schema.feature_names, schema.target.name)
        return Table(
            numbers={name: self._numbers[name].values for name in names},
            texts={name: tuple(reader.values) for name, reader in self._texts.items()},
            groups=tuple(chain.from_iterable(each.values for each in self._groups.values())),
            times=next((each.values for each in self._times.values()), array("d")),
            dropped=dropped,
        )


def _too_few_rows(count: int, dropped: int, path: Path) -> DataError:
    others = f" with a target, and {dropped} without" if dropped else ""
    return DataError(
        f"{path} has {count} rows of data{others}, but a model needs at least {MINIMUM_ROWS}.",
        hint=f"wc -l {quote(str(path))}   # then add rows",
    )
