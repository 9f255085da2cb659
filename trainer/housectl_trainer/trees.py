"""Tree ensembles as arrays: what both families' models are once they are trained."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

LEAF = -1


class SplitComparison(Enum):
    """When a row goes left at a node."""

    LESS_EQUAL = "value <= threshold"
    LESS = "value < threshold"


@dataclass(frozen=True)
class Tree:
    """One tree of n nodes; node 0 is the root.

    Attributes:
        left, right: `(n,)`, the number of the child, or LEAF in both where the node is a leaf.
        features: `(n,)`, the column that is compared; without meaning at a leaf.
        thresholds: `(n,)`, what a row's value, rounded to float32, is compared with in double.
        weights: `(n,)`, what a leaf adds to the prediction; without meaning at other nodes.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    features: NDArray[np.int64]
    thresholds: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def is_split(self) -> NDArray[np.bool_]:
        """`(n,)`, which nodes compare."""
        return np.not_equal(self.left, LEAF)


@dataclass(frozen=True)
class Ensemble:
    """Trees whose sum, with `offset`, is the prediction."""

    trees: tuple[Tree, ...]
    comparison: SplitComparison
    offset: float

    def thresholds_by_feature(self) -> list[tuple[int, float]]:
        """Return every (feature, threshold) that some node compares with, each once, in order."""
        pairs = {
            pair
            for tree in self.trees
            for pair in zip(
                tree.features[tree.is_split].tolist(),
                tree.thresholds[tree.is_split].tolist(),
                strict=True,
            )
        }
        return sorted(pairs)
