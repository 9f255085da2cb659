"""Proof that an ONNX graph predicts what the trained model predicts."""

from collections.abc import Callable

import numpy as np

from housectl.contract.scorer import Scorer
from housectl.errors import SealError
from housectl_trainer.subset import Floats, Indices
from housectl_trainer.trees import Ensemble

FEWEST_PROBES = 2_000
MOST_PROBES = 200_000

_BLOCK = 10_000


def probes(ensemble: Ensemble, rows: Floats, *, seed: int) -> Floats:
    """Return rows that lie at the model's thresholds, where a wrong comparison shows.

    Each threshold is put into a row of the data thrice: as it is, and as the float32 numbers below
    and above it. Few thresholds are put into several rows; of many a sample is taken.

    Args:
        ensemble: The model's trees.
        rows: `(n, features)`, real rows.
        seed: Decides the sample, and which row each threshold is put into.

    Returns:
        `(m, features)`, m from 2,000 to 200,000 unless no tree compares anything.
    """
    cuts = ensemble.thresholds_by_feature()
    if not cuts:
        return rows[:0]
    features = np.repeat([feature for feature, _ in cuts], 3)
    values = _neighbours(np.array([threshold for _, threshold in cuts])).ravel()
    generator = np.random.default_rng(seed)
    chosen = _chosen(len(values), generator)
    probes = rows[generator.integers(len(rows), size=len(chosen))]
    probes[np.arange(len(chosen)), features[chosen]] = values[chosen]
    return probes


def check_parity(
    scorer: Scorer, predict: Callable[[Floats], Floats], rows: Floats, *, tolerance: float
) -> float:
    """Return the largest difference between graph and model on some rows, in the target's unit.

    Raises:
        SealError: It is above the tolerance; the worst row is named.
    """
    blocks = np.array_split(rows, range(_BLOCK, len(rows), _BLOCK))
    found = np.concatenate([scorer.predict(block.tolist()) for block in blocks])
    expected = predict(rows)
    differences = np.abs(found - expected)
    worst = int(np.argmax(np.where(np.isnan(differences), np.inf, differences)))
    if not differences[worst] <= tolerance:
        raise SealError(
            f"The ONNX graph predicts {found[worst]!s} where the model predicts "
            f"{expected[worst]!s}, which is more than {tolerance:g} apart, for the row "
            f"{rows[worst].tolist()}.",
            hint="pip list   # compare with the versions in the recipe, install those",
        )
    return float(differences[worst])


def _neighbours(thresholds: Floats) -> Floats:
    """Return `(n, 3)`: the float32 number below each threshold, itself, the one above."""
    single = thresholds.astype(np.float32)
    below = np.nextafter(single, np.float32(-np.inf))
    above = np.nextafter(single, np.float32(np.inf))
    return np.column_stack([below, thresholds, above]).astype(np.float64)


def _chosen(size: int, generator: np.random.Generator) -> Indices:
    if size > MOST_PROBES:
        return np.sort(generator.choice(size, MOST_PROBES, replace=False))
    return np.tile(np.arange(size), max(1, -(-FEWEST_PROBES // size)))
