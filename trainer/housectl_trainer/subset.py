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
        rows: `(n, features)`, in the features' units.
        targets: `(n,)`, in the target's unit.
        groups: `(n,)` texts of the group column, or None without one.
    """

    rows: Floats
    targets: Floats
    groups: NDArray[np.str_] | None

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, indices: Indices) -> "DataSubset":
        """Return the rows at these indices, in their order."""
        groups = None if self.groups is None else self.groups[indices]
        return DataSubset(rows=self.rows[indices], targets=self.targets[indices], groups=groups)
