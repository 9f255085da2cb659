"""Columns of data frames, in MLflow's forms of JSON and as CSV."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any

from housectl.contract.column_types import ColumnType
from housectl_server.model.columns import Columns, Floats, read_cells, read_texts
from housectl_server.model.row_errors import MAX_ROWS, InvalidRowError, UnreadableRowError

FORMS = ("dataframe_split", "dataframe_records", "inputs", "instances")

# MLflow passes them to models that have parameters at prediction.
_PARAMETERS = "params"


def json_columns(value: object, features: Sequence[str]) -> Columns:
    """Return the columns of a JSON value.

    Args:
        value: Object with one of MLflow's forms.
        features: Names of the values in rows without names.

    Raises:
        InvalidRowError: The value has another form.
    """
    forms = [name for name in value if name != _PARAMETERS] if isinstance(value, dict) else []
    if not isinstance(value, dict) or len(forms) != 1 or forms[0] not in FORMS:
        raise InvalidRowError(
            f"The body has another form: an object with one of {', '.join(FORMS)} is expected."
        )
    form, content = forms[0], value[forms[0]]
    if form == "dataframe_split":
        return _split(content)
    if form == "inputs" and isinstance(content, dict):
        return _lists(content)
    if _is_list_of(dict, content):
        return _records(content)
    if _is_list_of(list, content) and form != "dataframe_records":
        return _rows(features, content, read_cells)
    raise InvalidRowError(f"{form} is invalid: a list of rows is expected.")


def csv_columns(body: bytes) -> Columns:
    """Return the columns of a CSV file, whose first line has their names.

    Raises:
        UnreadableRowError: The body is not CSV in UTF-8.
        InvalidRowError: A row has too many or too few values.
    """
    try:
        lines = csv.reader(io.StringIO(body.decode(), newline=""), strict=True)
        names, *rows = islice(filter(None, lines), MAX_ROWS + 2)
    except (ValueError, csv.Error) as error:
        cause = "it has no line" if not body.strip() else str(error)
        raise UnreadableRowError(f"The body is not CSV in UTF-8: {cause}.") from error
    return _rows(names, rows, read_texts)


def _split(frame: Any) -> Columns:  # noqa: ANN401
    if (
        not isinstance(frame, dict)
        or not _is_list_of(str, frame.get("columns"))
        or not _is_list_of(list, frame.get("data"))
    ):
        raise InvalidRowError(
            "dataframe_split is invalid: an object with columns, a list of names, and data, a list "
            "of lists, is expected."
        )
    return _rows(frame["columns"], frame["data"], read_cells)


def _records(records: Sequence[Mapping[str, object]]) -> Columns:
    names = dict.fromkeys(chain.from_iterable(records))
    columns = {name: [each.get(name) for each in records] for name in names}
    return _columns(columns, read_cells, count=len(records))


def _lists(columns: Mapping[str, object]) -> Columns:
    """Return columns that are lists of values, or of lists of one value each."""
    values = {name: _flat(name, cells) for name, cells in columns.items()}
    if len(set(map(len, values.values()))) > 1:
        raise InvalidRowError("inputs is invalid: its columns have different lengths.")
    return _columns(values, read_cells, count=max(map(len, values.values()), default=0))


def _flat(name: str, cells: object) -> Sequence[object]:
    if not isinstance(cells, list):
        raise InvalidRowError(f"inputs is invalid: {name[:100]} is not a list.")
    if all(isinstance(cell, list) and len(cell) == 1 for cell in cells):
        return [cell for (cell,) in cells]
    return cells


def _rows(
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    read: Callable[[Sequence[Any], ColumnType], Floats],
) -> Columns:
    if len(set(names)) < len(names):
        raise InvalidRowError("The rows are invalid: a column occurs twice.")
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise InvalidRowError(
                f"Row {number} has {len(row)} values, but there are {len(names)} columns: "
                f"{', '.join(names)[:500]}."
            )
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return _columns(dict(zip(names, columns, strict=True)), read, count=len(rows))


def _columns(
    values: Mapping[str, Sequence[Any]],
    read: Callable[[Sequence[Any], ColumnType], Floats],
    *,
    count: int,
) -> Columns:
    return Columns({name: partial(read, each) for name, each in values.items()}, count)


def _is_list_of(kind: type, value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, kind) for each in value)
