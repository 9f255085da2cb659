"""Subsets of a data set's rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class DataSubset:
    """Some rows of the data, to train on or to measure errors on.

    Attributes:
        rows: `(n, columns)`, the rows as columns of a graph; see `housectl.contract.columns`.
        targets: `(n,)`, in the target's unit.
        groups: `(n,)` codes of the groups, or of equal rows, which no fold divides; None if every
            row may move alone.
        times: `(n,)` ascending times, or None without a time column. Folds go forward in them.
    """

    rows: Floats
    targets: Floats
    groups: NDArray[np.int64] | None
    times: Floats | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, places: slice) -> "DataSubset":
        """Return the rows at these places, without a copy."""
        return self._select(places)

    def take(self, indices: Indices) -> "DataSubset":
        """Return the rows at these indices, in their order."""
        return self._select(indices)

    def _select(self, chosen: slice | Indices) -> "DataSubset":
        return DataSubset(
            rows=self.rows[chosen],
            targets=self.targets[chosen],
            groups=None if self.groups is None else self.groups[chosen],
            times=None if self.times is None else self.times[chosen],
        )
