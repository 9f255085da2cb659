"""The sample of rows that data checks look at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from housectl.contract.column_types import Category
from housectl.contract.data.table import Table
from housectl.contract.schema import Schema

Floats = NDArray[np.float64]

MAX_CELLS = 1_000_000
"""Larger tables are sampled."""
MAX_ROWS = 10_000
_MIN_ROWS = 500
_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Different rows of a table, in random order.

    Attributes:
        numbers: Values of each feature that is no category; NaN if missing.
        categories: Codes of each category; NaN if missing.
        target: Values of the target.
    """

    numbers: dict[str, Floats]
    categories: dict[str, Floats]
    target: Floats

    @property
    def features(self) -> dict[str, Floats]:
        """Values of all features."""
        return {**self.numbers, **self.categories}


def draw_sample(schema: Schema, table: Table) -> Sample:
    """Return at most 10,000 different rows, or fewer of a wide table: a million cells at most."""
    columns = [np.frombuffer(table.numbers[name]) for name in schema.feature_names]
    target = np.frombuffer(table.numbers[schema.target.name])
    rows = _choose_rows([*columns, target])
    chosen = {
        feature.name: column[rows] for feature, column in zip(schema.features, columns, strict=True)
    }
    categories = {each.name for each in schema.features if isinstance(each.type, Category)}
    return Sample(
        numbers={name: values for name, values in chosen.items() if name not in categories},
        categories={name: chosen[name] for name in chosen if name in categories},
        target=target[rows],
    )


def _choose_rows(columns: list[Floats]) -> NDArray[np.intp]:
    size = min(MAX_ROWS, max(_MIN_ROWS, MAX_CELLS // len(columns)))
    order = np.random.default_rng(_SEED).permutation(len(columns[0]))[:size]
    contents = np.column_stack([column[order] for column in columns])
    keys = contents.view([("", contents.dtype)] * contents.shape[1]).ravel()
    _, first = np.unique(keys.view(f"V{contents.shape[1] * 8}"), return_index=True)
    return order[np.sort(first)]
