"""Tree ensembles as arrays: the common form of all families' trained models."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

LEAF = -1

Threshold = tuple[int, float]
"""Index of a column, and a number that a model compares the column with."""


class SplitComparison(Enum):
    """Condition under which a row goes left at a node."""

    LESS_EQUAL = "value <= threshold"
    LESS = "value < threshold"


@dataclass(frozen=True)
class Tree:
    """One tree of n nodes; node 0 is the root.

    Attributes:
        left, right: `(n,)`, numbers of the children; both are LEAF at a leaf.
        features: `(n,)`, column that the node compares; undefined at a leaf.
        thresholds: `(n,)`, number that the row's value, rounded to float32, is compared with in
            double.
        missing_left: `(n,)`, True if a missing value, NaN, goes left; undefined at a leaf.
        weights: `(n,)`, contribution of a leaf to the prediction; undefined at other nodes.
        rows: `(n,)`, number of rows in a leaf that this tree was trained on, repeated rows
            included; undefined at other nodes.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    features: NDArray[np.int64]
    thresholds: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    weights: NDArray[np.float64]
    rows: NDArray[np.int64]

    @property
    def is_split(self) -> NDArray[np.bool_]:
        """`(n,)`, True at the nodes that are no leaves."""
        return np.not_equal(self.left, LEAF)


@dataclass(frozen=True)
class Ensemble:
    """Trees whose sum, with `offset`, is the prediction."""

    trees: tuple[Tree, ...]
    comparison: SplitComparison
    offset: float

    def thresholds(self) -> list[Threshold]:
        """Return the distinct finite thresholds of all split nodes, sorted."""
        return sorted({each for tree in self.trees for each in _thresholds(tree)})


def _thresholds(tree: Tree) -> Iterator[Threshold]:
    chosen = tree.is_split & np.isfinite(tree.thresholds)
    return zip(tree.features[chosen].tolist(), tree.thresholds[chosen].tolist(), strict=True)
