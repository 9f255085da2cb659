"""The split into training rows and held-out rows."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np

from housectl.contract.data.forward_folds import check_forward_folds
from housectl.contract.data.row_texts import count_distinct
from housectl.contract.recipe import DEFAULT_GATE, Split, SplitMethod
from housectl.errors import DataError

MINIMUM_TRAINING = 50
MINIMUM_HOLDOUT = 10

_HASHES = 2**256


@dataclass(frozen=True)
class SplitIndices:
    """Indices of the training rows, in the order of training, and of the held-out rows."""

    training: Sequence[int]
    holdout: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class RowKeys:
    """The values of each row that a split depends on.

    Attributes:
        texts: Canonical text of each row.
        features: Canonical text of the features of each row; empty unless the split depends on it.
        groups: The group of each row; empty when the split has no group column.
        times: The time of each row; empty when the split has no time column.
    """

    texts: Sequence[str]
    features: Sequence[str] = ()
    groups: Sequence[str] = ()
    times: Sequence[float] = ()

    @cached_property
    def units(self) -> Sequence[str]:
        """The unit of each row, whose rows stay on one side; empty if each row may move alone.

        A unit is a group. Without a group column, it is all rows with equal contents. Rows with
        equal times stay together already.
        """
        if self.groups or self.times:
            return self.groups
        return list(self.texts) if count_distinct(self.texts) < len(self.texts) else ()


def content_digest(texts: Iterable[str]) -> str:
    """Return the sha256 of some rows' contents; their order does not change it."""
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


def split_indices(split: Split, keys: RowKeys, *, seed: int) -> SplitIndices:
    """Return the indices of the training rows and of the held-out rows.

    Args:
        split: The recipe's split.
        keys: Contents, groups and times of the rows.
        seed: The recipe's seed.

    Raises:
        DataError: One side has too few rows, groups or times.
    """
    if not 0 < split.holdout < 1:
        raise _too_few(f"The fraction of held-out rows is {split.holdout:g}, not between 0 and 1")
    indices = _divide(split, keys, seed)
    _check_sizes(indices, keys.texts)
    if keys.units:
        _check_units(keys, indices)
    if split.time_column is not None:
        times = [keys.times[index] for index in indices.training]
        check_forward_folds(times, column=split.time_column)
    return indices


def _divide(split: Split, keys: RowKeys, seed: int) -> SplitIndices:
    if split.method is SplitMethod.TIME:
        return _split_by_time(keys.times, split.holdout)
    if split.method is SplitMethod.HASH:
        return _split_by_hash(keys.groups or keys.texts, split.holdout, seed)
    if split.method is SplitMethod.HASH_FEATURES:
        return _split_by_hash(keys.groups or keys.features, split.holdout, seed)
    if units := keys.units:
        return _shuffle_units(units, split.holdout, seed)
    return _shuffle(len(keys.texts), split.holdout, seed)


def _split_by_time(times: Sequence[float], fraction: float) -> SplitIndices:
    """Hold out the latest rows, with all rows of the earliest time among them."""
    order = np.argsort(times, kind="stable").tolist()
    boundary = times[order[-ceil(fraction * len(times))]]
    return SplitIndices(
        training=[index for index in order if times[index] < boundary],
        holdout=[index for index in order if times[index] >= boundary],
    )


def _split_by_hash(keys: Sequence[str], fraction: float, seed: int) -> SplitIndices:
    """Split each row by its own hash, so that added rows do not move other rows."""
    limit = fraction * _HASHES
    is_holdout = [_hash(seed, key) < limit for key in keys]
    return _separate(is_holdout)


def _hash(seed: int, key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\n{key}".encode()).digest())


def _shuffle(rows: int, fraction: float, seed: int) -> SplitIndices:
    """Shuffle the rows as scikit-learn's train_test_split does, which commands do not install."""
    order = np.random.RandomState(seed).permutation(rows).tolist()
    size = ceil(fraction * rows)
    return SplitIndices(training=order[size:], holdout=order[:size])


def _shuffle_units(units: Sequence[str], fraction: float, seed: int) -> SplitIndices:
    """Shuffle the units as scikit-learn's GroupShuffleSplit does."""
    names = sorted(set(units))
    held_out = {names[index] for index in _shuffle(len(names), fraction, seed).holdout}
    return _separate([unit in held_out for unit in units])


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
    distinct = count_distinct(texts)
    cause = f": only {distinct} of {len(texts)} rows are different" if distinct < len(texts) else ""
    raise _too_few(f"The split {problem}{cause}")


def _check_units(keys: RowKeys, indices: SplitIndices) -> None:
    units = len({keys.units[index] for index in indices.training})
    if units < DEFAULT_GATE.folds:
        kind = "groups of" if keys.groups else "different"
        raise _too_few(
            f"The split leaves {units} {kind} training rows, "
            f"fewer than the gate's {DEFAULT_GATE.folds} folds"
        )


def _too_few(problem: str) -> DataError:
    return DataError(
        f"{problem}.", hint="Add other rows to the data file, or change `split:` in housectl.yaml."
    )
