"""The folds of the training rows: those of the objective, and those of the gate."""

from collections.abc import Iterable, Sequence

import numpy as np

from housectl.contract.data.forward_folds import forward_blocks, gate_blocks, latest_block
from housectl.contract.recipe import (
    DEFAULT_GATE,
    OBJECTIVE_FOLDS,
    GateFolds,
    ObjectiveFolds,
    derived_seed,
)
from housectl_trainer.subset import DataSubset, Indices

Fold = tuple[Indices, Indices]


def objective_folds(
    subset: DataSubset, *, seed: int, folds: ObjectiveFolds = OBJECTIVE_FOLDS
) -> list[Fold]:
    """Return the folds of the objective; with times, they go forward.

    A single fold is the first of five; with times, it tests on the latest fifth of the rows.
    """
    if subset.times is not None:
        return _forward_folds(_forward_blocks(subset.times.tolist(), folds))
    is_single = folds == 1
    divided = _folds(
        subset, OBJECTIVE_FOLDS if is_single else folds, derived_seed(seed, "objective")
    )
    return divided[:1] if is_single else divided


def gate_folds(subset: DataSubset, *, seed: int, gate: GateFolds = DEFAULT_GATE) -> list[Fold]:
    """Return the gate's folds, which the search never uses; with times, they go forward."""
    if subset.times is not None:
        return _forward_folds(gate_blocks(subset.times.tolist(), gate))
    return [
        fold
        for repeat in range(gate.repeats)
        for fold in _folds(subset, gate.folds, derived_seed(seed, f"gate/{repeat}"))
    ]


def _folds(subset: DataSubset, folds: int, seed: int) -> list[Fold]:
    """Return the shuffled folds of scikit-learn's KFold and GroupKFold.

    The import of scikit-learn takes more time and memory than a small linear model.
    """
    count, codes = len(subset), np.arange(len(subset))
    if subset.groups is not None:
        groups, codes = np.unique(subset.groups, return_inverse=True)
        count = len(groups)
    fold_of_unit = np.empty(count, dtype=np.intp)
    parts = np.array_split(np.random.RandomState(seed).permutation(count), folds)
    for number, part in enumerate(parts):
        fold_of_unit[part] = number
    fold_of_row = fold_of_unit[codes]
    return [
        (np.flatnonzero(fold_of_row != number), np.flatnonzero(fold_of_row == number))
        for number in range(folds)
    ]


def _forward_blocks(times: Sequence[float], folds: ObjectiveFolds) -> Sequence[range]:
    if folds == 1:
        return [latest_block(times, fraction=1 / OBJECTIVE_FOLDS)]
    return forward_blocks(times, folds)


def _forward_folds(blocks: Iterable[range]) -> list[Fold]:
    return [(np.arange(block.start), np.array(block)) for block in blocks]
