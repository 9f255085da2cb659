"""The reference of a bundle: distributions of its training data, which live data is compared with.

Drift is a difference between them. They also show a prediction among the training targets.
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import msgspec

from housectl.contract.record import SCHEMA_VERSION, Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REFERENCE_FILE = "reference.json"
MAX_EDGES = 100

_Count = Annotated[int, msgspec.Meta(ge=0)]


class Distribution(Record, kw_only=True):
    """Numbers of training rows whose values are in each bin.

    The bin k has the values above the edge k - 1 and up to the edge k. The first bin has no lower
    end, and the last one no upper end. Values are doubles; see `cells`. A boolean has the edge 0.5.
    The first bin of a category has texts that are no levels, and the others have one code each.

    Attributes:
        edges: Ascending numbers.
        counts: One for each bin, so one more than edges.
        missing: Number of rows without a value.
    """

    edges: Annotated[tuple[float, ...], msgspec.Meta(max_length=MAX_EDGES)]
    counts: tuple[_Count, ...]
    missing: _Count = 0

    def __post_init__(self) -> None:
        """Check the numbers of edges and counts, and the order of the edges."""
        if len(self.counts) != len(self.edges) + 1:
            raise ValueError(f"{len(self.edges)} edges have {len(self.counts)} counts")
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("the edges are not ascending")

    def count(self, values: "NDArray[np.float64]") -> "NDArray[np.int64]":
        """Return the number of values in each bin, and at last the number of missing ones.

        Args:
            values: `(n,)` doubles; NaN if missing.
        """
        import numpy as np

        bins = np.searchsorted(self.edges, values, side="left")
        bins[np.isnan(values)] = len(self.counts)
        return np.bincount(bins, minlength=len(self.counts) + 1)


class Reference(Record, kw_only=True):
    """Distributions of the training rows.

    Attributes:
        rows: Number of training rows.
        features: Distribution of each feature, by name. The edges of a number or a date are
            quantiles.
        target: Distribution of the target. The distances between its edges are equal.
        target_range: Smallest and largest target.
        rounded: True if edges and counts are rounded, and counts below 10 are 0. So counts need
            not add up to `rows`.
    """

    schema_version: int = SCHEMA_VERSION
    rows: Annotated[int, msgspec.Meta(ge=1)]
    features: dict[str, Distribution]
    target: Distribution
    target_range: tuple[float, float]
    rounded: bool = False
