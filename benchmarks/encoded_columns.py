"""Encodings of categories as columns of numbers, learnt from training rows alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from housectl_trainer.subset import Floats


class Encoding(StrEnum):
    """Encoding of the categories of a file."""

    ONE_HOT = "one-hot"
    LEVEL_ORDER = "codes in the order of the levels"
    TARGET_ORDER = "codes in the order of the target's mean"
    NATIVE = "XGBoost's own categorical splits"


@dataclass(frozen=True, kw_only=True)
class MixedRows:
    """Rows with numbers and categories.

    Attributes:
        numbers: `(n, numbers)`.
        codes: `(n, categories)` index of each level in the sorted levels.
        levels: Number of levels of each category.
        targets: `(n,)`.
    """

    numbers: Floats
    codes: NDArray[np.intp]
    levels: Sequence[int]
    targets: Floats

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, indices: NDArray[np.intp]) -> "MixedRows":
        """Return the rows at these indices."""
        return MixedRows(
            numbers=self.numbers[indices],
            codes=self.codes[indices],
            levels=self.levels,
            targets=self.targets[indices],
        )


def learn_encoder(encoding: Encoding, training: MixedRows) -> Callable[[MixedRows], Floats]:
    """Return the function that encodes rows; only the order of the target's mean is learnt."""
    if encoding is Encoding.ONE_HOT:
        return lambda rows: _join(rows, _indicators(rows))
    if encoding is Encoding.TARGET_ORDER:
        ranks = [_target_order(training, column) for column in range(len(training.levels))]
        return lambda rows: _join(rows, [rank[rows.codes[:, i]] for i, rank in enumerate(ranks)])
    return lambda rows: _join(rows, [rows.codes])


def _join(rows: MixedRows, columns: Sequence[NDArray[np.generic]]) -> Floats:
    return np.column_stack([rows.numbers, *columns]).astype(np.float64)


def _indicators(rows: MixedRows) -> list[NDArray[np.bool_]]:
    return [
        rows.codes[:, [column]] == np.arange(levels) for column, levels in enumerate(rows.levels)
    ]


def _target_order(training: MixedRows, column: int) -> Floats:
    """Return the rank of each level by its mean target; an unseen level has the overall mean."""
    codes, levels = training.codes[:, column], training.levels[column]
    counts = np.bincount(codes, minlength=levels)
    sums = np.bincount(codes, weights=training.targets, minlength=levels)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), training.targets.mean())
    return means.argsort(kind="stable").argsort().astype(np.float64)
