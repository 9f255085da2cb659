"""Choice of the golden rows of a model."""

import numpy as np

from housectl.contract.golden import Golden, GoldenRow
from housectl_trainer.model_family import Model
from housectl_trainer.subset import Floats

_DATA_ROWS = 16
_THRESHOLD_ROWS = 12


def make_golden(
    model: Model, rows: Floats, probes: Floats, *, features: tuple[str, ...], tolerance: float
) -> Golden:
    """Return the model's predictions for data rows, rows at thresholds, and rows out of range.

    Args:
        model: The trained model.
        rows: `(n, features)`, rows of the data.
        probes: `(m, features)`, rows at the model's thresholds.
        features: Names of the columns of a row.
        tolerance: Largest accepted difference of a copy of the model, in the target's unit.
    """
    chosen = np.concatenate(
        [_spread(rows, _DATA_ROWS), _spread(probes, _THRESHOLD_ROWS), _out_of_range(rows)]
    )
    return Golden(
        tolerance=tolerance,
        features=features,
        rows=tuple(
            GoldenRow(row=tuple(row), prediction=prediction)
            for row, prediction in zip(chosen.tolist(), model.predict(chosen).tolist(), strict=True)
        ),
    )


def _spread(rows: Floats, number: int) -> Floats:
    """Return evenly spaced rows, which cover the whole range of sorted data."""
    if len(rows) == 0:
        return rows
    return np.take(rows, np.linspace(0, len(rows) - 1, number).astype(int), axis=0)


def _out_of_range(rows: Floats) -> Floats:
    """Return four rows outside the data's range: all below, all above, and two mixtures."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    span = np.maximum(high - low, 1.0)
    below, above = low - span, high + span
    even = np.arange(len(low)) % 2 == 0
    return np.stack([below, above, np.where(even, below, above), np.where(even, above, below)])
