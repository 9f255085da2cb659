"""The population stability index (PSI): difference between two distributions over the same bins.

It is the symmetric Kullback-Leibler divergence of the shares of the bins: `Σ (o - e) ln(o / e)`.
Siddiqi, Credit Risk Scorecards (Wiley, 2006) has its thresholds. Its mean without drift is
`(B - 1)(1 / n + 1 / m)` for B bins and n and m rows (Yurdakul and Naranjo, Journal of Risk Model
Validation 14(4), 2020).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

MODERATE_DRIFT = 0.1
LARGE_DRIFT = 0.25
# With so many rows for each bin, the mean without drift is about 0.01.
MIN_ROWS_PER_BIN = 100

# An empty bin would make the logarithm infinite.
_MIN_SHARE = 1e-4


def stability_index(expected: "ArrayLike", observed: "ArrayLike") -> float | None:
    """Return the PSI between the reference and observed rows; None if too few rows were observed.

    Args:
        expected: `(bins,)` counts of the reference.
        observed: `(bins,)` counts of the observed rows.
    """
    import numpy as np

    counts = np.array((expected, observed), dtype="float64")
    counts = counts[:, counts.any(axis=0)]
    reference_rows, rows = counts.sum(axis=1)
    if not reference_rows or rows < MIN_ROWS_PER_BIN * counts.shape[1]:
        return None
    e, o = _shares(counts)
    return float(((o - e) * np.log(o / e)).sum())


def _shares(counts: "NDArray[np.float64]") -> "NDArray[np.float64]":
    import numpy as np

    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return np.maximum(shares, _MIN_SHARE)
