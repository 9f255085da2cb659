"""Choice of the golden rows of a model."""

from dataclasses import dataclass

import numpy as np

from housectl.contract.golden import Golden, GoldenRow, GoldenSource
from housectl.contract.schema import FLOAT32_MAXIMUM
from housectl_trainer.data import Dataset
from housectl_trainer.model_family import Model
from housectl_trainer.subset import Floats

_SOURCE_ROWS = 16
_THRESHOLD_ROWS = 12


@dataclass(frozen=True)
class RowSource:
    """Rows that golden rows are made of.

    Attributes:
        rows: `(n, features)`, rows of the data, or synthetic rows.
        low, high: `(features,)`, the range of each feature.
    """

    rows: Floats
    low: Floats
    high: Floats


def row_source(kind: GoldenSource, dataset: Dataset, *, seed: int) -> RowSource:
    """Return the rows of the data, or synthetic rows of which no cell is read from the data."""
    if kind is GoldenSource.SYNTHETIC:
        return _synthetic(dataset, np.random.default_rng(seed))
    rows = dataset.all_rows
    return RowSource(rows=rows, low=rows.min(axis=0), high=rows.max(axis=0))


def make_golden(
    model: Model, source: RowSource, probes: Floats, *, features: tuple[str, ...], tolerance: float
) -> Golden:
    """Return the model's predictions for rows in range, at thresholds, and out of range.

    Args:
        model: The trained model.
        source: Rows in range.
        probes: `(m, features)`, rows at the model's thresholds, made of the same rows.
        features: Names of the columns of a row.
        tolerance: Largest accepted difference of a copy of the model, in the target's unit.
    """
    chosen = np.concatenate(
        [
            _spread(source.rows, _SOURCE_ROWS),
            _spread(probes, _THRESHOLD_ROWS),
            _out_of_range(source.low, source.high),
        ]
    )
    return Golden(
        tolerance=tolerance,
        features=features,
        rows=tuple(
            GoldenRow(row=tuple(row), prediction=prediction)
            for row, prediction in zip(chosen.tolist(), model.predict(chosen).tolist(), strict=True)
        ),
    )


def _synthetic(dataset: Dataset, generator: np.random.Generator) -> RowSource:
    """Draw as many rows as the data has, within the schema's ranges.

    A feature that has only whole numbers in the data gets only whole numbers.
    """
    features = dataset.shared.schema.features
    low = _servable(np.array([feature.minimum for feature in features]))
    high = _servable(np.array([feature.maximum for feature in features]))
    drawn = generator.uniform(low, high, size=dataset.all_rows.shape)
    whole = (dataset.all_rows % 1 == 0).all(axis=0)
    rows = np.where(whole, np.clip(np.rint(drawn), low, high), drawn)
    return RowSource(rows=rows, low=low, high=high)


def _spread(rows: Floats, number: int) -> Floats:
    """Return evenly spaced rows, which cover the whole range of sorted data."""
    if len(rows) == 0:
        return rows
    return np.take(rows, np.linspace(0, len(rows) - 1, number).astype(int), axis=0)


def _out_of_range(low: Floats, high: Floats) -> Floats:
    """Return four rows outside the range: all below, all above, and two mixtures."""
    span = np.maximum(high - low, 1.0)
    below, above = _servable(low - span), _servable(high + span)
    even = np.arange(len(low)) % 2 == 0
    return np.stack([below, above, np.where(even, below, above), np.where(even, above, below)])


def _servable(values: Floats) -> Floats:
    """Return the nearest values that a server accepts."""
    return np.clip(values, -FLOAT32_MAXIMUM, FLOAT32_MAXIMUM)
