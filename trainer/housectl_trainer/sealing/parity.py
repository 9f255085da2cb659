"""Parity check: an ONNX graph must give the same predictions as the trained model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET

from housectl.contract.columns import MISSING_CODE, Expansion
from housectl.contract.scorer import Scorer
from housectl.errors import SealError
from housectl_trainer.exact_sums import standard_deviation
from housectl_trainer.subset import Floats, Indices
from housectl_trainer.target_scale import TargetScale
from housectl_trainer.trees import Threshold

MIN_PROBES = 2_000
MAX_PROBES = 200_000
ROUTING_PROBES = 50
"""Rows for each code of a category, and for each column that may be missing, unless many exist."""
MAX_ROUTING_PROBES = 50_000

# Rounding of a sum whose terms are larger than the sum itself.
_ROUNDING_STEPS = 4

_BLOCK_ROWS = 10_000
_SHARE_MISSING = 0.3
_FAR_VALUES = (-1e30, -1e9, -1e3, 1e3, 1e9, 1e30)


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """Accepted differences between a graph and its model.

    Attributes:
        absolute: Accepted difference, in the target's unit.
        relative: Further accepted difference, as a fraction of the prediction.
    """

    absolute: float
    relative: float = 0.0

    @classmethod
    def for_model(cls, scale: TargetScale, targets: Floats, *, bound: float) -> "Tolerance":
        """Return the tolerance of a model.

        Args:
            scale: Scale of the model's target.
            targets: The training targets.
            bound: The family's parity bound.
        """
        absolute = bound * standard_deviation(targets) + _rounding(np.abs(targets).max())
        if scale.transform is UNSET:
            return cls(absolute=absolute)
        relative = bound * scale.deviation + _rounding(max(abs(scale.centre), scale.deviation))
        return cls(absolute=absolute, relative=relative)

    def of(self, predictions: Floats) -> Floats:
        """Return the accepted differences from some predictions."""
        return self.absolute + self.relative * np.abs(predictions)


def threshold_probes(thresholds: Sequence[Threshold], rows: Floats, *, seed: int) -> Floats:
    """Return rows at the model's thresholds, where a wrong comparison changes the prediction.

    Each threshold replaces a value of a data row three times: itself, and the float32 numbers below
    and above it. A few thresholds go into several rows; many thresholds are sampled.

    Args:
        thresholds: The model's thresholds.
        rows: `(n, columns)`, rows of the data.
        seed: Seed of the sample and of the choice of rows.

    Returns:
        `(m, columns)`, m from 2,000 to 200,000; m is 0 if the model has no threshold.
    """
    if not thresholds:
        return rows[:0]
    columns = np.repeat([column for column, _ in thresholds], 3)
    values = _neighbours(np.array([threshold for _, threshold in thresholds])).ravel()
    generator = np.random.default_rng(seed)
    chosen = _sample(len(values), generator)
    probes = rows[generator.integers(len(rows), size=len(chosen))]
    probes[np.arange(len(chosen)), columns[chosen]] = values[chosen]
    return probes


def routing_probes(expansion: Expansion, rows: Floats, *, seed: int) -> Floats:
    """Return rows with each code of each category, and with missing values.

    Each code, and the missing value of each column, is in 50 data rows, or in fewer rows if there
    are more than 1,000 of them. As many further rows lack several values at once.

    Args:
        expansion: Expansion of the columns.
        rows: `(n, columns)`, rows of the data.
        seed: Seed of the choice of rows.
    """
    generator = np.random.default_rng(seed)
    replacements = [
        *expansion.indicators,
        *((column, MISSING_CODE) for column in expansion.categories),
        *((column, np.nan) for column in expansion.nullable),
    ]
    if not replacements:
        return rows[:0]
    repeats = max(1, min(ROUTING_PROBES, MAX_ROUTING_PROBES // len(replacements)))
    columns, values = (np.repeat(each, repeats) for each in zip(*replacements, strict=True))
    probes = rows[generator.integers(len(rows), size=len(columns))]
    probes[np.arange(len(columns)), columns] = values
    is_missing = generator.random(probes.shape) < _SHARE_MISSING
    is_missing &= np.isin(np.arange(expansion.columns), expansion.nullable)
    return np.concatenate([probes, np.where(is_missing, np.nan, probes)])


def far_probes(expansion: Expansion, rows: Floats, *, seed: int) -> Floats:
    """Return rows in which one number is far out of range; a linear model extrapolates there.

    Args:
        expansion: Expansion of the columns.
        rows: `(n, columns)`, rows of the data.
        seed: Seed of the choice of rows.
    """
    columns = np.repeat(expansion.kept, len(_FAR_VALUES)).astype(np.intp)
    generator = np.random.default_rng(seed)
    probes = rows[generator.integers(len(rows), size=len(columns))]
    probes[np.arange(len(columns)), columns] = np.tile(_FAR_VALUES, len(expansion.kept))
    return probes


def check_parity(
    scorer: Scorer,
    predict: Callable[[Floats], Floats],
    columns: Floats,
    *,
    tolerance: Tolerance,
) -> float:
    """Return the largest difference between graph and model on some rows, in the target's unit.

    Args:
        scorer: The graph.
        predict: The model.
        columns: `(n, columns)`, the rows.
        tolerance: Accepted differences.

    Raises:
        SealError: The difference exceeds the tolerance; the message names the row.
    """
    blocks = np.array_split(columns, range(_BLOCK_ROWS, len(columns), _BLOCK_ROWS))
    actual = np.concatenate([scorer.predict_columns(block) for block in blocks])
    expected = np.concatenate([predict(block) for block in blocks])
    differences = np.abs(actual - expected)
    excess = differences - tolerance.of(expected)
    worst = int(np.argmax(np.where(np.isnan(excess), np.inf, excess)))
    if not excess[worst] <= 0:
        allowed = tolerance.of(expected)[worst]
        raise SealError(
            f"The ONNX graph differs from the model by more than {allowed:g}: it "
            f"predicts {actual[worst]!s} instead of {expected[worst]!s} for the columns "
            f"{columns[worst].tolist()}.",
            hint="housectl tune --family random-forest   # XGBoost adds in float32, which is too "
            "rough for extreme outliers of the target",
        )
    return float(differences.max())


def _rounding(largest: float) -> float:
    return _ROUNDING_STEPS * float(np.spacing(largest))


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
