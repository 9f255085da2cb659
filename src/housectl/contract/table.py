"""Reader of numeric CSV files; its errors name the line and the column."""

import csv
import math
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TextIO

from housectl.contract.files import file_digest
from housectl.contract.schema import Schema
from housectl.errors import DataError

MINIMUM_ROWS = 100
_MAX_CELL_LENGTH = 40


@dataclass(frozen=True)
class Table:
    """The columns of a data file.

    Attributes:
        numbers: Values of each feature and of the target, as doubles.
        groups: Text of each row's group column; empty without a group column.
    """

    numbers: dict[str, "array[float]"]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(next(iter(self.numbers.values())))


def data_digest(path: Path) -> str:
    """Return the sha256 of a data file's bytes.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        return file_digest(path)
    except OSError as error:
        raise _unreadable_error(path, error) from error


def read_table(path: Path, schema: Schema, *, group: str | None = None) -> Table:
    """Read the features, the target and the group column of a data file.

    Excluded columns are accepted in the header; their cells are not read.

    Raises:
        DataError: A column is missing or unknown, a cell is empty, infinite or text, or there are
            fewer than 100 rows.
    """
    names = (*schema.feature_names, schema.target.name)
    columns = [array("d") for _ in names]
    groups: list[str] = []
    with _open_csv(path) as file:
        rows = csv.reader(file, strict=True)
        header = _header(next(rows, []), path, schema, group)
        indices = [header.index(name) for name in names]
        group_index = None if group is None else header.index(group)
        for row in filter(None, rows):
            position = f"{path}, line {rows.line_num}"
            _check_width(row, header, position)
            for name, column, index in zip(names, columns, indices, strict=True):
                column.append(_number(row[index], f"{position}, column {name}"))
            if group_index is not None:
                groups.append(_text(row[group_index], f"{position}, column {group}"))
    _check_length(len(columns[0]), path)
    return Table(numbers=dict(zip(names, columns, strict=True)), groups=tuple(groups))


@contextmanager
def _open_csv(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield file
    except OSError as error:
        raise _unreadable_error(path, error) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} is not a CSV file in UTF-8: {error}.",
            hint=f"file {quote(str(path))}   # save it as CSV, UTF-8, separated by commas",
        ) from error


def _unreadable_error(path: Path, error: OSError) -> DataError:
    return DataError(
        f"Cannot read the data file {path}: {error.strerror}.",
        hint="Set `data:` in housectl.yaml to an existing CSV file.",
    )


def _header(header: Sequence[str], path: Path, schema: Schema, group: str | None) -> list[str]:
    required = {*schema.feature_names, schema.target.name, *([group] if group else [])}
    accepted = required | set(schema.excluded_names)
    names_by_problem = {
        "is missing": sorted(required - set(header)),
        "is not in housectl.yaml": sorted(set(header) - accepted),
        "occurs twice": sorted({name for name in header if header.count(name) > 1}),
    }
    problems = [
        f"column {name!r} {problem}"
        for problem, names in names_by_problem.items()
        for name in names
    ]
    if not header:
        problems = ["the header is empty"]
    if problems:
        raise DataError(
            f"{path}, line 1: {'; '.join(problems)}.",
            hint="List every column in housectl.yaml under `features:`, `exclude:` or `target:`, "
            "or draft a new file: housectl init --data FILE --target COLUMN",
        )
    return list(header)


def _check_width(row: Sequence[str], header: Sequence[str], position: str) -> None:
    if len(row) != len(header):
        raise DataError(
            f"{position}: the line has {len(row)} cells, but the header has {len(header)}.",
            hint="Correct that line of the data file.",
        )


def _number(cell: str, position: str) -> float:
    try:
        # Unlike other CSV readers, Python accepts 1_000 and the digits of other scripts.
        value = float(cell) if cell.isascii() and "_" not in cell else math.nan
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    text = cell.strip()[:_MAX_CELL_LENGTH]
    problem = f"{text!r} is not a finite number" if text else "the cell is empty"
    raise DataError(
        f"{position}: {problem}.",
        hint="Correct or remove that row, or move the column to `exclude:` in housectl.yaml.",
    )


def _text(cell: str, position: str) -> str:
    if cell.strip():
        return cell
    raise DataError(f"{position}: the row has no group.", hint="Fill that cell, or remove the row.")


def _check_length(rows: int, path: Path) -> None:
    if rows < MINIMUM_ROWS:
        raise DataError(
            f"{path} has {rows} rows of data, but a model needs at least {MINIMUM_ROWS}.",
            hint=f"wc -l {quote(str(path))}   # then add rows",
        )
