"""The split into training rows and held-out rows."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from housectl.contract.recipe import GATE_FOLDS, Split, SplitMethod
from housectl.contract.table import Table
from housectl.errors import DataError

MINIMUM_TRAINING = 50
MINIMUM_HOLDOUT = 10

_HASHES = 2**256


@dataclass(frozen=True)
class SplitIndices:
    """Indices of the training rows, in the order of training, and of the held-out rows."""

    training: Sequence[int]
    holdout: Sequence[int]


def row_texts(table: Table) -> list[str]:
    """Return the canonical text of each row: repr() of its features and its target."""
    return [",".join(map(repr, row)) for row in zip(*table.numbers.values(), strict=True)]


def content_digest(texts: Iterable[str]) -> str:
    """Return the sha256 of some rows' contents; their order does not change it."""
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


def split_indices(
    split: Split, texts: Sequence[str], groups: Sequence[str], *, seed: int
) -> SplitIndices:
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
        indices = _split_by_hash(groups or texts, split.holdout, seed)
    elif groups:
        indices = _shuffle_groups(groups, split.holdout, seed)
    else:
        indices = _shuffle(len(texts), split.holdout, seed)
    _check_sizes(indices, texts)
    if groups:
        _check_groups({groups[index] for index in indices.training})
    return indices


def _split_by_hash(keys: Sequence[str], fraction: float, seed: int) -> SplitIndices:
    """Split each row by its own hash, so that added rows do not move other rows."""
    limit = fraction * _HASHES
    is_holdout = [_hash(seed, key) < limit for key in keys]
    return _separate(is_holdout)


def _hash(seed: int, key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\n{key}".encode()).digest())


def _shuffle(rows: int, fraction: float, seed: int) -> SplitIndices:
    """Shuffle the rows as scikit-learn's train_test_split does, which commands do not install."""
    from numpy.random import RandomState

    order = RandomState(seed).permutation(rows).tolist()
    size = ceil(fraction * rows)
    return SplitIndices(training=order[size:], holdout=order[:size])


def _shuffle_groups(groups: Sequence[str], fraction: float, seed: int) -> SplitIndices:
    """Shuffle the groups as scikit-learn's GroupShuffleSplit does."""
    names = sorted(set(groups))
    held_out = {names[index] for index in _shuffle(len(names), fraction, seed).holdout}
    return _separate([group in held_out for group in groups])


def _separate(is_holdout: Sequence[bool]) -> SplitIndices:
    return SplitIndices(
        training=[index for index, holdout in enumerate(is_holdout) if not holdout],
        holdout=[index for index, holdout in enumerate(is_holdout) if holdout],
    )


def _check_sizes(indices: SplitIndices, texts: Sequence[str]) -> None:
    training, holdout = len(indices.training), len(indices.holdout)
    if training >= MINIMUM_TRAINING and holdout >= MINIMUM_HOLDOUT:
        return
    problem = (
        f"leaves {training} training rows, fewer than {MINIMUM_TRAINING}"
        if training < MINIMUM_TRAINING
        else f"holds out {holdout} rows, fewer than {MINIMUM_HOLDOUT}"
    )
    distinct = len(set(texts))
    cause = f": only {distinct} of {len(texts)} rows are different" if distinct < len(texts) else ""
    raise _too_few(f"The split {problem}{cause}")


def _check_groups(groups: set[str]) -> None:
    if len(groups) < GATE_FOLDS:
        raise _too_few(
            f"The split leaves {len(groups)} groups of training rows, "
            f"fewer than the gate's {GATE_FOLDS} folds"
        )


def _too_few(problem: str) -> DataError:
    return DataError(
        f"{problem}.", hint="Add other rows to the data file, or change `split:` in housectl.yaml."
    )
