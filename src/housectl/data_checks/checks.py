"""All checks of the data for traps."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from housectl.contract.data.table import Table
from housectl.contract.recipe import Split
from housectl.contract.schema import Schema
from housectl.data_checks.leakage import find_leakage
from housectl.data_checks.problem import DataProblem
from housectl.data_checks.sample import Floats, Sample, draw_sample
from housectl.data_checks.table_shape import (
    find_equal_rows,
    find_missing_columns,
    find_wide_table,
)
from housectl.data_checks.target_values import find_target_problems
from housectl.data_checks.time_order import find_time_problems


@dataclass(frozen=True)
class CheckedData:
    """Data that a trainer accepts, with the schema and the split of the project file.

    No check reads a column that the schema excludes.

    Attributes:
        sample: The rows that are tried for relations between columns.
    """

    schema: Schema
    table: Table
    split: Split
    sample: Sample

    @classmethod
    def of(cls, schema: Schema, table: Table, split: Split) -> Self:
        """Return the data with a sample of the table."""
        return cls(schema, table, split, draw_sample(schema, table))

    @property
    def target(self) -> Floats:
        """All values of the target."""
        return np.frombuffer(self.table.numbers[self.schema.target.name])


TRAPS: Mapping[str, Callable[[CheckedData], Iterator[DataProblem]]] = {
    "leaked target": lambda data: find_leakage(data.sample, data.schema.target.name),
    "target values": lambda data: find_target_problems(
        data.schema.target, data.target, data.sample
    ),
    "time order": lambda data: find_time_problems(data.schema, data.table, data.split),
    "equal rows": lambda data: find_equal_rows(data.schema, data.table),
    "missing values": lambda data: find_missing_columns(data.schema, data.table),
    "features and rows": lambda data: find_wide_table(data.schema, data.table),
}
"""The traps by name, each with its check."""
