"""Reading a CSV file of numbers, with the row and the column of whatever is wrong in it."""

import csv
import math
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from housectl.contract.schema import Schema
from housectl.errors import DataError

MINIMUM_ROWS = 100


@dataclass(frozen=True)
class Table:
    """The columns of a data file, all of one length.

    Attributes:
        numbers: The values of every feature and of the target, as doubles.
        groups: The text of the group column in each row; empty without a group column.
    """

    numbers: dict[str, "array[float]"]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(next(iter(self.numbers.values())))


def read_table(path: Path, schema: Schema, *, group: str | None = None) -> Table:
    """Read the features, the target and the group column of a data file.

    Excluded columns are known by name and not read.

    Raises:
        DataError: A column is missing or unknown, a cell is missing, infinite or text, or there are
            fewer than 100 rows. It names line and column.
    """
    names = (*schema.feature_names, schema.target.name)
    columns = [array("d") for _ in names]
    groups: list[str] = []
    with _opened(path) as file:
        rows = csv.reader(file, strict=True)
        header = _header(next(rows, []), path, schema, group)
        places = [header.index(name) for name in names]
        group_place = None if group is None else header.index(group)
        for row in filter(None, rows):
            where = f"{path}, line {rows.line_num}"
            _check_width(row, header, where)
            for name, column, place in zip(names, columns, places, strict=True):
                column.append(_number(row[place], f"{where}, column {name}"))
            if group_place is not None:
                groups.append(_text(row[group_place], f"{where}, column {group}"))
    _check_length(len(columns[0]), path)
    return Table(numbers=dict(zip(names, columns, strict=True)), groups=tuple(groups))


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield file
    except OSError as error:
        raise DataError(
            f"Cannot read the data file {path}: {error.strerror}.",
            hint="Set `data:` in housectl.yaml to a CSV file that is there.",
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} is not a CSV file in UTF-8: {error}.",
            hint=f"file {path}   # save it as CSV, UTF-8, separated by commas",
        ) from error


def _header(header: Sequence[str], path: Path, schema: Schema, group: str | None) -> list[str]:
    wanted = {*schema.feature_names, schema.target.name, *([group] if group else [])}
    known = wanted | set(schema.excluded_names)
    problems = {
        "is missing": sorted(wanted - set(header)),
        "is not in housectl.yaml": sorted(set(header) - known),
        "stands twice": sorted({name for name in header if header.count(name) > 1}),
    }
    found = [f"column {name!r} {what}" for what, names in problems.items() for name in names]
    if not header:
        found = ["it is empty"]
    if found:
        raise DataError(
            f"{path}, line 1: {'; '.join(found)}.",
            hint="Name every column in housectl.yaml under `features:`, `exclude:` or `target:`, "
            "or draft the file anew: housectl init --data FILE --target COLUMN",
        )
    return list(header)


def _check_width(row: Sequence[str], header: Sequence[str], where: str) -> None:
    if len(row) != len(header):
        raise DataError(
            f"{where}: {len(row)} cells where the header has {len(header)}.",
            hint="Repair that line in the data file.",
        )


def _number(cell: str, where: str) -> float:
    try:
        # Python would read 1_000 and other scripts' digits, too; other readers of the file do not.
        value = float(cell) if cell.isascii() and "_" not in cell else math.nan
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    found = (
        "the cell is empty" if not cell.strip() else f"{cell.strip()[:40]!r} is not a finite number"
    )
    raise DataError(
        f"{where}: {found}.",
        hint="Repair or remove that row, or move the column to `exclude:` in housectl.yaml.",
    )


def _text(cell: str, where: str) -> str:
    if cell.strip():
        return cell
    raise DataError(f"{where}: the row has no group.", hint="Fill that cell, or remove the row.")


def _check_length(rows: int, path: Path) -> None:
    if rows < MINIMUM_ROWS:
        raise DataError(
            f"{path} has {rows} rows of data; a model needs at least {MINIMUM_ROWS}.",
            hint=f"wc -l {path}   # then add rows",
        )
