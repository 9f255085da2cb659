"""Data with all types of columns and with missing values, made without a file."""

from array import array

import numpy as np
from msgspec import UNSET, structs

from housectl.contract.column_types import (
    Boolean,
    Category,
    ColumnType,
    Datetime,
    Number,
    UnknownLevels,
)
from housectl.contract.data.data_split import SplitIndices
from housectl.contract.data.table import Table
from housectl.contract.data.usable_data import UsableData
from housectl.contract.inputs import SharedRecipe
from housectl.contract.recipe import Split
from housectl.contract.schema import Feature, Schema, Target, Transform, column_record
from housectl_trainer.data import Dataset, make_dataset

ROWS = 300
_HOLDOUT = 60
_DAY = 86_400.0
_FIRST_DAY = 20 * 365 * _DAY

TYPES: dict[str, ColumnType] = {
    "area": Number(),
    "rooms": Number(nullable=True),
    "pool": Boolean(nullable=True),
    "town": Category(levels=("Ulm", "Bonn", "Köln, Süd"), nullable=True),
    "heating": Category(levels=("gas", "oil"), unknown_levels=UnknownLevels.GROUP),
    "class": Category(levels=("A", "B", "C"), unknown_levels=UnknownLevels.REFUSE),
    "sold": Datetime(format="%d.%m.%Y", nullable=True),
}


def mixed_dataset(
    *, transform: Transform | None = None, unit: float = 1.0, offset: float = 0.0
) -> Dataset:
    """Return a data set whose target depends on every column and on missing values."""
    values = _values(np.random.default_rng(4))
    target = np.exp(_signal(values) / 3) if transform else _signal(values)
    return _dataset(values, target * unit + offset, transform)


def _values(generator: np.random.Generator) -> dict[str, np.ndarray]:
    values = {
        "area": generator.uniform(20, 200, ROWS).round(1),
        "rooms": generator.integers(1, 7, ROWS).astype(float),
        "pool": generator.integers(0, 2, ROWS).astype(float),
        "town": generator.integers(-1, 3, ROWS).astype(float),
        "heating": generator.integers(0, 3, ROWS).astype(float),
        "class": generator.integers(0, 3, ROWS).astype(float),
        "sold": _FIRST_DAY + _DAY * generator.integers(0, 900, ROWS),
    }
    for name, column in values.items():
        if TYPES[name].nullable:
            column[generator.random(ROWS) < 0.2] = np.nan
    return values


def _signal(values: dict[str, np.ndarray]) -> np.ndarray:
    rooms, pool, town = (values[name] for name in ("rooms", "pool", "town"))
    return (
        values["area"] / 30
        + np.where(np.isnan(rooms), 3, np.nan_to_num(rooms))
        + np.where(np.isnan(pool), 2, np.nan_to_num(pool))
        + np.where(town == 2, 3, 0)
        + np.where(np.isnan(town), -2, 0)
        + np.where(values["heating"] == 1, 1.5, 0)
        + values["class"] ** 2 / 2
        + np.nan_to_num(values["sold"] - _FIRST_DAY) / (300 * _DAY)
    )


def _dataset(
    values: dict[str, np.ndarray], target: np.ndarray, transform: Transform | None
) -> Dataset:
    schema = Schema(
        features=tuple(_feature(name, column) for name, column in values.items()),
        target=Target(name="price", transform=transform or UNSET),
    )
    shared = SharedRecipe(schema=schema, data="0" * 64, split=Split(), seed=3)
    numbers = {name: array("d", column) for name, column in {**values, "price": target}.items()}
    split = SplitIndices(training=range(_HOLDOUT, ROWS), holdout=range(_HOLDOUT))
    table = Table(numbers=numbers, texts={}, groups=(), times=array("d"), dropped=0)
    data = UsableData(table=table, split=split, unit_codes=(), holdout_digest="0" * 64)
    return make_dataset(shared, data)


def _feature(name: str, column: np.ndarray) -> Feature:
    known = column[~np.isnan(column)]
    return Feature(
        name=name,
        minimum=max(0.0, float(known.min())),
        maximum=float(known.max()),
        column=column_record(TYPES[name]),
    )


def with_type(dataset: Dataset, name: str, column: ColumnType) -> Schema:
    """Return the schema of a data set with another type of one feature."""
    schema = dataset.shared.schema
    features = [
        structs.replace(each, column=column_record(column)) if each.name == name else each
        for each in schema.features
    ]
    return structs.replace(schema, features=tuple(features))
