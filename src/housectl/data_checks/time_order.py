"""Time columns: features whose order is that of the rows."""

import re
from collections.abc import Iterator

import numpy as np

from housectl.contract.column_types import Datetime, Number
from housectl.contract.data_split import RowKeys, split_indices
from housectl.contract.recipe import Split, SplitMethod
from housectl.contract.schema import Feature, Schema
from housectl.contract.table import Table
from housectl.data_checks.problem import DataProblem
from housectl.data_checks.sample import Floats
from housectl.errors import DataError

MIN_SHARE_IN_ORDER = 0.95

_NAME = re.compile(r"(?i)(.*[_ -])?(year|date|time|timestamp|datetime)")


def find_time_split(schema: Schema, table: Table) -> Split | None:
    """Return a split by the first time column that is in order; None without such a column.

    A time column is a date, or a number with a name such as `year`. It is in order if at least 95 %
    of its steps from row to row do not go back, or do not go forward. It must have enough different
    times for the folds.
    """
    splits = (_time_split(feature, table) for feature in time_columns(schema))
    return next(filter(None, splits), None)


def find_time_problems(schema: Schema, table: Table, split: Split) -> Iterator[DataProblem]:
    """Yield a problem if the rows are in the order of a time, but the split ignores it."""
    if split.time_column is not None or split.group is not None:
        return
    if proposal := find_time_split(schema, table):
        yield DataProblem(
            message=f"The rows are in the order of {proposal.column}, but the split mixes earlier "
            "and later rows: errors for later rows may be larger.",
            hint=f"Set `split: {{method: time, column: {proposal.column}}}` in housectl.yaml.",
        )


def time_columns(schema: Schema) -> Iterator[Feature]:
    """Yield the features that are dates, or numbers with the name of a time; none is missing."""
    for feature in schema.features:
        is_time = isinstance(feature.type, Datetime) or (
            isinstance(feature.type, Number) and _NAME.fullmatch(feature.name)
        )
        if is_time and not feature.type.nullable:
            yield feature


def _time_split(feature: Feature, table: Table) -> Split | None:
    times = table.numbers[feature.name]
    split = Split(method=SplitMethod.TIME, column=feature.name)
    keys = RowKeys(texts=[""] * len(times), times=times)
    try:
        split_indices(split, keys, seed=0)
    except DataError:
        return None
    return split if _is_in_order(np.frombuffer(times)) else None


def _is_in_order(times: Floats) -> bool:
    steps = np.diff(times)
    return float(max(np.mean(steps >= 0), np.mean(steps <= 0))) >= MIN_SHARE_IN_ORDER
