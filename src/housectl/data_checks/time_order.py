"""Time columns: features whose order is that of the rows."""

import json
import re
from collections.abc import Iterator

import numpy as np

from housectl.contract.column_types import Datetime, Number
from housectl.contract.data.data_split import RowKeys, split_indices
from housectl.contract.data.table import Table
from housectl.contract.recipe import Split, SplitMethod
from housectl.contract.schema import Feature, Schema
from housectl.data_checks.problem import DataProblem
from housectl.data_checks.sample import Floats
from housectl.errors import DataError

MIN_RANK_CORRELATION = 0.98

_NAME = re.compile(r"(?i)(.*[_ -])?(year|date|time|timestamp|datetime)")


def find_time_split(schema: Schema, table: Table) -> Split | None:
    """Return a split by the first time column that is in order; None without such a column.

    It is in order if the rank correlation of times and rows is at least 0.98, or at most -0.98.
    So a few late entries do not matter, but years that begin again for each company do.
    """
    for split in possible_time_splits(schema, table):
        if split.time_column and _is_in_order(np.frombuffer(table.numbers[split.time_column])):
            return split
    return None


def possible_time_splits(schema: Schema, table: Table) -> Iterator[Split]:
    """Yield the split by each time column that has enough different times for the folds.

    A time column is a date, or a number with a name such as `year`, that is never missing.
    """
    for feature in filter(_is_time, schema.features):
        split = Split(method=SplitMethod.TIME, column=feature.name)
        times = table.numbers[feature.name]
        try:
            split_indices(split, RowKeys(texts=[""] * len(times), times=times), seed=0)
        except DataError:
            continue
        yield split


def find_time_problems(schema: Schema, table: Table, split: Split) -> Iterator[DataProblem]:
    """Yield a problem if the rows are in the order of a time, but the split ignores it."""
    if split.time_column is not None or split.group is not None:
        return
    if proposal := find_time_split(schema, table):
        yield DataProblem(
            message=f"The rows are in the order of {proposal.column}, but the split mixes earlier "
            "and later rows: errors for later rows may be larger.",
            hint=f"Set `split: {describe_time_split(proposal)}` in housectl.yaml.",
        )


def describe_time_split(split: Split) -> str:
    """Return the value of `split:` in YAML."""
    return f"{{method: time, column: {json.dumps(split.time_column, ensure_ascii=False)}}}"


def _is_time(feature: Feature) -> bool:
    is_named = isinstance(feature.type, Number) and _NAME.fullmatch(feature.name) is not None
    return (isinstance(feature.type, Datetime) or is_named) and not feature.type.nullable


def _is_in_order(times: Floats) -> bool:
    _, codes, counts = np.unique(times, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[codes]
    return abs(float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])) >= MIN_RANK_CORRELATION
