"""Parity check: an ONNX graph must give the same predictions as the trained model."""

from collections.abc import Callable

import numpy as np

from housectl.contract.scorer import Scorer
from housectl.errors import SealError
from housectl_trainer.subset import Floats, Indices
from housectl_trainer.trees import Ensemble

MIN_PROBES = 2_000
MAX_PROBES = 200_000

_BLOCK_ROWS = 10_000


def probes(ensemble: Ensemble, rows: Floats, *, seed: int) -> Floats:
    """Return rows at the model's thresholds, where a wrong comparison changes the prediction.

    Each threshold replaces a value of a data row three times: itself, and the float32 numbers below
    and above it. A few thresholds go into several rows; many thresholds are sampled.

    Args:
        ensemble: The model's trees.
        rows: `(n, features)`, rows of the data.
        seed: Seed of the sample and of the choice of rows.

    Returns:
        `(m, features)`, m from 2,000 to 200,000; m is 0 if no tree has a split.
    """
    thresholds = ensemble.thresholds_by_feature()
    if not thresholds:
        return rows[:0]
    features = np.repeat([feature for feature, _ in thresholds], 3)
    values = _neighbours(np.array([threshold for _, threshold in thresholds])).ravel()
    generator = np.random.default_rng(seed)
    chosen = _sample(len(values), generator)
    probes = rows[generator.integers(len(rows), size=len(chosen))]
    probes[np.arange(len(chosen)), features[chosen]] = values[chosen]
    return probes


def check_parity(
    scorer: Scorer, predict: Callable[[Floats], Floats], rows: Floats, *, tolerance: float
) -> float:
    """Return the largest difference between graph and model on some rows, in the target's unit.

    Raises:
        SealError: The difference exceeds the tolerance; the message names the row.
    """
    blocks = np.array_split(rows, range(_BLOCK_ROWS, len(rows), _BLOCK_ROWS))
    actual = np.concatenate([scorer.predict(block.tolist()) for block in blocks])
    expected = predict(rows)
    differences = np.abs(actual - expected)
    worst = int(np.argmax(np.where(np.isnan(differences), np.inf, differences)))
    if not differences[worst] <= tolerance:
        raise SealError(
            f"The ONNX graph differs from the model by more than {tolerance:g}: it predicts "
            f"{actual[worst]!s} instead of {expected[worst]!s} for the row {rows[worst].tolist()}.",
            hint="pip list   # install the versions of the recipe",
        )
    return float(differences[worst])


def _neighbours(thresholds: Floats) -> Floats:
    """Return `(n, 3)`: the float32 number below each threshold, the threshold, the one above."""
    single = thresholds.astype(np.float32)
    below = np.nextafter(single, np.float32(-np.inf))
    above = np.nextafter(single, np.float32(np.inf))
    return np.column_stack([below, thresholds, above]).astype(np.float64)


def _sample(size: int, generator: np.random.Generator) -> Indices:
    if size > MAX_PROBES:
        return np.sort(generator.choice(size, MAX_PROBES, replace=False))
    return np.tile(np.arange(size), max(1, -(-MIN_PROBES // size)))
