"""Rows to train or to measure on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Part:
    """Some rows of the data.

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

    def take(self, places: Places) -> "Part":
        """Return the rows at these places, in their order."""
        groups = None if self.groups is None else self.groups[places]
        return Part(rows=self.rows[places], targets=self.targets[places], groups=groups)
