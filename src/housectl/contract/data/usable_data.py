"""The data of an experiment: read, checked and split, by commands and trainer alike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from housectl.contract.data.csv_format import DEFAULT_FORMAT, CsvFormat
from housectl.contract.data.data_split import (
    RowKeys,
    SplitIndices,
    content_digest,
    split_indices,
)
from housectl.contract.data.row_texts import feature_texts, row_texts
from housectl.contract.data.table import Table, read_table
from housectl.contract.recipe import Split, SplitMethod
from housectl.contract.schema import FLOAT32_MAXIMUM, Schema, Target
from housectl.errors import DataError

if TYPE_CHECKING:
    from array import array

# A verdict squares differences of squared errors, and double numbers end at 1e308 and 1e-308.
_LARGEST_TARGET = 1e70
_SMALLEST_RANGE = 1e-70

# Pessimistic for a laptop.
_BYTES_PER_SECOND = 10e6


@dataclass(frozen=True)
class UsableData:
    """A table that a trainer accepts, and its split.

    Attributes:
        unit_codes: Code of the unit of each row; see `RowKeys.units`. Codes have the order of the
            units.
        holdout_digest: sha256 of the held-out rows' contents.
    """

    table: Table
    split: SplitIndices
    unit_codes: tuple[int, ...]
    holdout_digest: str


def read_usable_data(
    path: Path,
    schema: Schema,
    *,
    split: Split,
    seed: int,
    csv_format: CsvFormat = DEFAULT_FORMAT,
) -> UsableData:
    """Read a data file, and check everything that training requires of it.

    Raises:
        DataError: A column or a cell is invalid, a feature exceeds float32, or one side of the
            split has too few rows, groups or times. All training rows have the same target, or a
            target has no squared error.
    """
    table = read_table(
        path, schema, csv_format=csv_format, group=split.group, time=split.time_column
    )
    for name in schema.feature_names:
        _check_feature(name, table.numbers[name])
    keys = _row_keys(table, schema, split)
    indices = split_indices(split, keys, seed=seed)
    _check_target(schema.target, table, indices)
    return UsableData(
        table=table,
        split=indices,
        unit_codes=_codes(keys.units),
        holdout_digest=content_digest(keys.texts[index] for index in indices.holdout),
    )


def _row_keys(table: Table, schema: Schema, split: Split) -> RowKeys:
    needs_features = split.method is SplitMethod.HASH_FEATURES
    return RowKeys(
        texts=row_texts(table),
        features=feature_texts(table, target=schema.target.name) if needs_features else (),
        groups=table.groups,
        times=table.times,
    )


def _codes(units: Sequence[str]) -> tuple[int, ...]:
    codes = {unit: code for code, unit in enumerate(sorted(set(units)))}
    return tuple(codes[unit] for unit in units)


def estimate_check_seconds(path: Path) -> float:
    """Estimate the time of `read_usable_data`; 0 for a file that cannot be read."""
    return path.stat().st_size / _BYTES_PER_SECOND if path.is_file() else 0.0


def _check_feature(name: str, column: "array[float]") -> None:
    # NaN is missing; unlike `maximum`, `fmax` ignores it.
    largest = float(np.fmax.reduce(np.abs(np.frombuffer(column))))
    if math.isnan(largest):
        raise DataError(
            f"The column {name} has no value.", hint="Move it to `exclude:` in housectl.yaml."
        )
    if largest > FLOAT32_MAXIMUM:
        raise DataError(
            f"The column {name} has values up to {largest:g}, and trees store at most 3.4e38.",
            hint=f"Express {name} in a larger unit, or move it to `exclude:` in housectl.yaml.",
        )


def _check_target(target: Target, table: Table, split: SplitIndices) -> None:
    name, targets = target.name, np.frombuffer(table.numbers[target.name])
    _check_target_unit(name, targets)
    if np.ptp(targets[np.array(split.training)]) == 0:
        raise DataError(
            f"The target {name} has one value in all {len(split.training)} training rows.",
            hint="Set `target:` in housectl.yaml to a column that varies.",
        )


def _check_target_unit(name: str, targets: NDArray[np.float64]) -> None:
    low, high = float(targets.min()), float(targets.max())
    largest, smallest = max(abs(low), abs(high)), high - low
    if largest > _LARGEST_TARGET:
        problem, unit = f"has values up to {largest:g}, above {_LARGEST_TARGET:g}", "larger"
    elif 0 < smallest < _SMALLEST_RANGE:
        problem, unit = f"has a range of {smallest:g}, below {_SMALLEST_RANGE:g}", "smaller"
    else:
        return
    raise DataError(
        f"The target {name} {problem}: its squared errors are not computable in double precision.",
        hint=f"Express {name} in a {unit} unit in the data file.",
    )
