"""Traps in the shape of a table: equal rows, mostly missing columns, more features than rows."""

from collections.abc import Iterator

import numpy as np

from housectl.contract.data.row_texts import row_texts
from housectl.contract.data.table import Table
from housectl.contract.schema import Schema
from housectl.data_checks.problem import DataProblem

MAX_MISSING_SHARE = 0.5


def find_equal_rows(schema: Schema, table: Table) -> Iterator[DataProblem]:
    """Yield a problem if rows are equal in all features and the target."""
    texts = row_texts(table)
    if count := len(texts) - texts.distinct:
        yield DataProblem(
            message=f"{count} of {len(texts)} rows have the features and the "
            f"{schema.target.name} of an earlier row; split and folds keep equal rows together.",
            hint="Remove them from the data file, unless they are observations of their own.",
        )


def find_missing_columns(schema: Schema, table: Table) -> Iterator[DataProblem]:
    """Yield each feature that is missing in most rows."""
    for name in schema.feature_names:
        missing = float(np.isnan(np.frombuffer(table.numbers[name])).mean())
        if missing > MAX_MISSING_SHARE:
            yield DataProblem(
                message=f"{name} is missing in {missing:.0%} of the rows.",
                hint=f"Move {name} to `exclude:` in housectl.yaml, unless its absence matters.",
            )


def find_wide_table(schema: Schema, table: Table) -> Iterator[DataProblem]:
    """Yield a problem if there are at least as many features as rows."""
    features = len(schema.features)
    if features >= len(table):
        yield DataProblem(
            message=f"There are {features} features for {len(table)} rows: a model can learn "
            "each row by heart.",
            hint="Move features without influence to `exclude:` in housectl.yaml, or add rows.",
        )
