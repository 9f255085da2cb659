"""Arrays in graphs, and the limit of their sums."""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Doubles = NDArray[np.float64]

MAX_SUM = np.finfo(np.float64).max / 2
"""Half of the largest double: sums below it stay finite, whatever the order of addition."""
