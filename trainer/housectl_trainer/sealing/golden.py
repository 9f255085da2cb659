"""Choice of the golden rows of a model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from housectl.contract.cells import UNKNOWN_LEVEL, read_row, write_row
from housectl.contract.column_types import Boolean, Category, Datetime, Number, UnknownLevels
from housectl.contract.columns import DATETIME_PARTS, ColumnEncoder
from housectl.contract.golden import GoldenRow, GoldenSource
from housectl.contract.schema import FLOAT32_MAXIMUM, Schema
from housectl_trainer.data import Dataset
from housectl_trainer.fitting import FittedModel
from housectl_trainer.sealing.parity import threshold_probes
from housectl_trainer.subset import Floats
from housectl_trainer.trees import Threshold

T = TypeVar("T", bound=np.generic)

_SOURCE_ROWS = 16
_THRESHOLD_ROWS = 12
_MISSING_ROWS = 200
_SHARE_MISSING = 0.1

# Years of four digits, which every format of dates writes and reads.
_EARLIEST, _LATEST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1000, 9999))


@dataclass(frozen=True)
class RowSource:
    """Rows that golden rows are made of.

    Attributes:
        rows: `(n, features)`, the values of rows of the data, or of synthetic rows.
        columns: `(n, columns)`, the same rows as columns of a graph.
        low, high: `(features,)`, the range of each feature.
    """

    rows: Floats
    columns: Floats
    low: Floats
    high: Floats


def row_source(kind: GoldenSource, dataset: Dataset, *, seed: int) -> RowSource:
    """Return the rows of the data, or synthetic rows of which no cell is read from the data."""
    if kind is GoldenSource.SYNTHETIC:
        return _synthetic(dataset, np.random.default_rng(seed))
    rows = dataset.values
    # Unlike min and max, these ignore NaN; a column without any value gets 0.
    low, high = (np.nan_to_num(extreme.reduce(rows)) for extreme in (np.fmin, np.fmax))
    return RowSource(rows=rows, columns=dataset.all_rows, low=low, high=high)


def golden_rows(
    model: FittedModel,
    source: RowSource,
    schema: Schema,
    *,
    seed: int,
) -> tuple[GoldenRow, ...]:
    """Return the model's predictions for rows in range, at thresholds, out of range, and others.

    The others have each level of each category, a text that is no level, and missing values. There
    are at most 300 rows. Each row is one that a client can send.

    Args:
        model: The trained model.
        source: Rows in range.
        schema: Schema of the rows.
        seed: Seed of the choice of rows.
    """
    at_thresholds = threshold_probes(
        _feature_thresholds(schema, model.thresholds()), source.rows, seed=seed
    )
    chosen = np.concatenate(
        [
            _spread(source.rows, _SOURCE_ROWS),
            _spread(at_thresholds, _THRESHOLD_ROWS),
            _out_of_range(source, schema),
            *_level_rows(source.rows, schema),
            *_missing_rows(source.rows, schema),
        ]
    )
    cells = [write_row(schema, row) for row in chosen.tolist()]
    rows = np.array([read_row(schema, each) for each in cells])
    predictions = model.predict(ColumnEncoder(schema.features).encode(rows)).tolist()
    return tuple(
        GoldenRow(row=row, prediction=prediction)
        for row, prediction in zip(cells, predictions, strict=True)
    )


def _synthetic(dataset: Dataset, generator: np.random.Generator) -> RowSource:
    """Draw as many rows as the data has, within the schema's ranges.

    A feature that has only whole numbers in the data gets only whole numbers. A tenth of the values
    that may be missing are missing.
    """
    features = dataset.shared.schema.features
    low = _servable(np.array([feature.minimum for feature in features]))
    high = _servable(np.array([feature.maximum for feature in features]))
    shape = dataset.values.shape
    drawn = generator.uniform(low, high, size=shape)
    is_whole = ((dataset.values % 1 == 0) | np.isnan(dataset.values)).all(axis=0)
    is_whole |= [isinstance(feature.type, Boolean | Category) for feature in features]
    rows = np.where(is_whole, np.clip(np.rint(drawn), low, high), drawn)
    is_missing = generator.random(shape) < _SHARE_MISSING
    is_missing &= [feature.type.nullable for feature in features]
    rows = np.where(is_missing, np.nan, rows)
    return RowSource(rows=rows, columns=ColumnEncoder(features).encode(rows), low=low, high=high)


def _feature_thresholds(schema: Schema, thresholds: Sequence[Threshold]) -> list[Threshold]:
    """Return the thresholds of numbers, and of the seconds of dates, as values of features."""
    starts = ColumnEncoder(schema.features).starts
    seconds = DATETIME_PARTS.index("seconds")
    places = {}
    for index, (start, feature) in enumerate(zip(starts, schema.features, strict=True)):
        match feature.type:
            case Number():
                places[start] = index, 0.0
            case Datetime():
                places[start + seconds] = index, feature.minimum
            case _:
                pass
    return [
        (places[column][0], places[column][1] + value)
        for column, value in thresholds
        if column in places
    ]


def _spread(rows: NDArray[T], number: int) -> NDArray[T]:
    """Return evenly spaced rows, which cover the whole range of sorted data."""
    if len(rows) == 0:
        return rows
    return np.take(rows, np.linspace(0, len(rows) - 1, number).astype(int), axis=0)


def _out_of_range(source: RowSource, schema: Schema) -> Floats:
    """Return four rows outside the range: all below, all above, and two mixtures.

    Booleans and categories have no values outside their range.
    """
    types = schema.types
    has_outside = [isinstance(each, Number | Datetime) for each in types]
    is_date = [isinstance(each, Datetime) for each in types]
    span = np.where(has_outside, np.maximum(source.high - source.low, 1.0), 0.0)
    below, above = (
        np.where(is_date, np.clip(values, _EARLIEST, _LATEST), _servable(values))
        for values in (source.low - span, source.high + span)
    )
    even = np.arange(len(span)) % 2 == 0
    return np.stack([below, above, np.where(even, below, above), np.where(even, above, below)])


def _level_rows(rows: Floats, schema: Schema) -> Iterator[Floats]:
    """Yield rows that have each level of all categories, and then those of unknown levels."""
    categories = {
        index: each for index, each in enumerate(schema.types) if isinstance(each, Category)
    }
    if not categories:
        return
    changed = _spread(rows, max(each.codes for each in categories.values())).copy()
    for index, category in categories.items():
        changed[:, index] = np.arange(len(changed)) % category.codes
    yield changed
    with_unknown = changed[:1].copy()
    for index, category in categories.items():
        if category.unknown_levels is UnknownLevels.MISSING:
            with_unknown[:, index] = UNKNOWN_LEVEL
    yield with_unknown


def _missing_rows(rows: Floats, schema: Schema) -> Iterator[Floats]:
    """Yield rows that lack one value each, and a row that lacks all that may be missing."""
    nullable = np.flatnonzero([each.nullable for each in schema.types])
    if len(nullable) == 0:
        return
    chosen = _spread(nullable, min(len(nullable), _MISSING_ROWS))
    changed = _spread(rows, len(chosen)).copy()
    changed[np.arange(len(chosen)), chosen] = np.nan
    yield changed
    without = rows[:1].copy()
    without[:, nullable] = np.nan
    yield without


def _servable(values: Floats) -> Floats:
    """Return the nearest values that a server accepts."""
    return np.clip(values, -FLOAT32_MAXIMUM, FLOAT32_MAXIMUM)
