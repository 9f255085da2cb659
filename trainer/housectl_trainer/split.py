"""The split into training rows and held-out rows, and the folds of the training rows."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from housectl.contract.recipe import (
    GATE_FOLDS,
    GATE_REPEATS,
    OBJECTIVE_FOLDS,
    Split,
    SplitMethod,
    derived_seed,
)
from housectl.contract.table import Table
from housectl.errors import DataError
from housectl_trainer.subset import DataSubset, Indices

Fold = tuple[Indices, Indices]

MINIMUM_TRAINING = 50
MINIMUM_HOLDOUT = 10

_HASHES = 2**256


def row_texts(table: Table) -> list[str]:
    """Return the canonical text of each row: repr() of its features and its target."""
    return [",".join(map(repr, row)) for row in zip(*table.numbers.values(), strict=True)]


def content_digest(texts: Iterable[str]) -> str:
    """Return the sha256 of some rows' contents; their order does not change it."""
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


def split_indices(
    split: Split, texts: Sequence[str], groups: Sequence[str], *, seed: int
) -> tuple[Indices, Indices]:
    """Return the indices of the training rows and of the held-out rows.

    Args:
        split: The recipe's split.
        texts: Canonical text of each row.
        groups: The group of each row; empty when the split has no group column.
        seed: The recipe's seed.

    Raises:
        DataError: One side has too few rows or groups.
    """
    if not 0 < split.holdout < 1:
        raise _too_few(f"The fraction of held-out rows is {split.holdout:g}, not between 0 and 1")
    if split.method is SplitMethod.HASH:
        training, holdout = _split_by_hash(groups or texts, split.holdout, seed)
    else:
        training, holdout = _split_by_shuffle(len(texts), groups, split.holdout, seed)
    _check_sizes(training, holdout)
    if groups:
        _check_groups([groups[index] for index in training])
    return training, holdout


def objective_folds(subset: DataSubset, *, seed: int) -> list[Fold]:
    """Return the folds of the objective."""
    return _folds(subset, OBJECTIVE_FOLDS, derived_seed(seed, "objective"))


def gate_folds(subset: DataSubset, *, seed: int) -> list[Fold]:
    """Return the gate's folds, which the search never uses."""
    return [
        fold
        for repeat in range(GATE_REPEATS)
        for fold in _folds(subset, GATE_FOLDS, derived_seed(seed, f"gate/{repeat}"))
    ]


def _folds(subset: DataSubset, folds: int, seed: int) -> list[Fold]:
    from sklearn.model_selection import GroupKFold, KFold

    splitter = KFold if subset.groups is None else GroupKFold
    shuffled = splitter(folds, shuffle=True, random_state=seed)
    return list(shuffled.split(subset.rows, groups=subset.groups))


def _split_by_hash(keys: Sequence[str], fraction: float, seed: int) -> tuple[Indices, Indices]:
    """Split each row by its own hash, so that added rows do not move other rows."""
    limit = fraction * _HASHES
    is_holdout = np.array([_hash(seed, key) < limit for key in keys])
    return np.flatnonzero(~is_holdout), np.flatnonzero(is_holdout)


def _hash(seed: int, key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\n{key}".encode()).digest())


def _split_by_shuffle(
    rows: int, groups: Sequence[str], fraction: float, seed: int
) -> tuple[Indices, Indices]:
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    indices = np.arange(rows)
    if groups:
        splitter = GroupShuffleSplit(n_splits=1, test_size=fraction, random_state=seed)
        training, holdout = next(splitter.split(indices, groups=groups))
    else:
        training, holdout = train_test_split(indices, test_size=fraction, random_state=seed)
    return training, holdout


def _check_sizes(training: Indices, holdout: Indices) -> None:
    if len(training) < MINIMUM_TRAINING:
        raise _too_few(
            f"The split leaves {len(training)} training rows, fewer than {MINIMUM_TRAINING}"
        )
    if len(holdout) < MINIMUM_HOLDOUT:
        raise _too_few(f"The split holds out {len(holdout)} rows, fewer than {MINIMUM_HOLDOUT}")


def _check_groups(groups: Sequence[str]) -> None:
    if len(set(groups)) < GATE_FOLDS:
        raise _too_few(
            f"The split leaves {len(set(groups))} groups of training rows, "
            f"fewer than the gate's {GATE_FOLDS} folds"
        )


def _too_few(problem: str) -> DataError:
    return DataError(
        f"{problem}.", hint="Change `split:` in housectl.yaml, or add rows to the data file."
    )
