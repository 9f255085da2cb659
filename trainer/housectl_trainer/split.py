"""Which rows are held out, and how the others are folded."""

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
    """Return the canonical text of each row: its features and its target, as repr() has them."""
    return [",".join(map(repr, row)) for row in zip(*table.numbers.values(), strict=True)]


def content_digest(texts: Iterable[str]) -> str:
    """Return the sha256 of some rows' contents, whatever their order."""
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


def split_indices(
    split: Split, texts: Sequence[str], groups: Sequence[str], *, seed: int
) -> tuple[Indices, Indices]:
    """Return the places of the rows to learn from, and of those held out.

    Args:
        split: How rows are held out.
        texts: Canonical text of each row.
        groups: The group of each row; empty when the split has no group column.
        seed: The recipe's.

    Raises:
        DataError: Too few rows or groups are left on one side.
    """
    if not 0 < split.holdout < 1:
        raise _too_few(f"The share of held-out rows is {split.holdout:g}, not between 0 and 1")
    if split.method is SplitMethod.HASH:
        training, heldout = _hashed(groups or texts, split.holdout, seed)
    else:
        training, heldout = _shuffled(len(texts), groups, split.holdout, seed)
    _check_sizes(training, heldout)
    if groups:
        _check_groups([groups[place] for place in training])
    return training, heldout


def objective_folds(part: DataSubset, *, seed: int) -> list[Fold]:
    """Return the folds that a trial's objective is the mean over."""
    return _folds(part, OBJECTIVE_FOLDS, derived_seed(seed, "objective"))


def gate_folds(part: DataSubset, *, seed: int) -> list[Fold]:
    """Return the folds that verdicts compare on; the search never sees them."""
    return [
        fold
        for repeat in range(GATE_REPEATS)
        for fold in _folds(part, GATE_FOLDS, derived_seed(seed, f"gate/{repeat}"))
    ]


def _folds(part: DataSubset, folds: int, seed: int) -> list[Fold]:
    from sklearn.model_selection import GroupKFold, KFold

    splitter = KFold if part.groups is None else GroupKFold
    chosen = splitter(folds, shuffle=True, random_state=seed)
    return list(chosen.split(part.rows, groups=part.groups))


def _hashed(keys: Sequence[str], holdout: float, seed: int) -> tuple[Indices, Indices]:
    """Decide about each row alone, so that rows added later move no other row."""
    limit = holdout * _HASHES
    held = np.array([_hash(seed, key) < limit for key in keys])
    return np.flatnonzero(~held), np.flatnonzero(held)


def _hash(seed: int, key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\n{key}".encode()).digest())


def _shuffled(
    rows: int, groups: Sequence[str], holdout: float, seed: int
) -> tuple[Indices, Indices]:
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    every = np.arange(rows)
    if groups:
        splitter = GroupShuffleSplit(n_splits=1, test_size=holdout, random_state=seed)
        training, heldout = next(splitter.split(every, groups=groups))
    else:
        training, heldout = train_test_split(every, test_size=holdout, random_state=seed)
    return training, heldout


def _check_sizes(training: Indices, heldout: Indices) -> None:
    if len(training) < MINIMUM_TRAINING:
        raise _too_few(
            f"The split leaves {len(training)} rows to learn from, fewer than {MINIMUM_TRAINING}"
        )
    if len(heldout) < MINIMUM_HOLDOUT:
        raise _too_few(f"The split holds out {len(heldout)} rows, fewer than {MINIMUM_HOLDOUT}")


def _check_groups(groups: Sequence[str]) -> None:
    if len(set(groups)) < GATE_FOLDS:
        raise _too_few(
            f"The split leaves {len(set(groups))} groups to learn from; "
            f"{GATE_FOLDS} folds need {GATE_FOLDS}"
        )


def _too_few(what: str) -> DataError:
    return DataError(
        f"{what}.", hint="Change `split:` in housectl.yaml, or add rows to the data file."
    )
