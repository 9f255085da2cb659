"""Order of child nodes: the one that onnxruntime evaluates fastest."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from housectl_trainer.trees import Ensemble, SplitComparison, Tree

# Above all float32 numbers. scikit-learn divides missing values from all others at infinity, but
# thresholds of a graph are finite.
_MAX = 2.0**128


def put_likely_child_right(ensemble: Ensemble, *, features: int) -> Ensemble:
    """Return equivalent trees with the likelier child of each node on the right.

    onnxruntime stores the right child next to its parent, so going right needs no memory access,
    and branch prediction works best for a branch that is nearly always taken. A node with swapped
    children compares the negative of its value, because mixed comparisons are slower.

    Args:
        ensemble: Trees over rows of float32 numbers.
        features: Number of columns of a row.

    Returns:
        Trees over rows followed by their own negatives, `(n, 2 * features)`; all nodes compare
        with LESS_EQUAL.
    """
    trees = tuple(
        _put_right(tree, _largest_left(tree.thresholds, ensemble.comparison), features)
        for tree in ensemble.trees
    )
    return replace(ensemble, trees=trees, comparison=SplitComparison.LESS_EQUAL)


def _put_right(tree: Tree, largest: NDArray[np.float32], features: int) -> Tree:
    leaves = _leaf_counts(tree)
    swapped = tree.is_split & (leaves[tree.left] > leaves[tree.right])
    # value > largest is equivalent to -value <= -(the next float32 number above largest).
    with np.errstate(over="ignore"):
        negated = -np.nextafter(largest, np.float32(np.inf))
    return replace(
        tree,
        left=np.where(swapped, tree.right, tree.left),
        right=np.where(swapped, tree.left, tree.right),
        features=np.where(swapped, tree.features + features, tree.features),
        thresholds=np.clip(np.where(swapped, negated, largest).astype(np.float64), -_MAX, _MAX),
        missing_left=tree.missing_left ^ swapped,
    )


def _largest_left(
    thresholds: NDArray[np.float64], comparison: SplitComparison
) -> NDArray[np.float32]:
    """Return the largest float32 number that goes left, for each threshold."""
    nearest = thresholds.astype(np.float32)
    goes_right = (
        nearest > thresholds if comparison is SplitComparison.LESS_EQUAL else nearest >= thresholds
    )
    return np.where(goes_right, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _leaf_counts(tree: Tree) -> NDArray[np.int64]:
    """Return `(n,)`, the number of leaves below each node; a leaf counts itself."""
    leaves = np.ones(len(tree.left), dtype=np.int64)
    for level in reversed(_levels(tree)):
        leaves[level] = leaves[tree.left[level]] + leaves[tree.right[level]]
    return leaves


def _levels(tree: Tree) -> list[NDArray[np.int64]]:
    """Return the split nodes, grouped by their distance from the root."""
    levels = []
    level = np.zeros(1, dtype=np.int64)
    while (level := level[tree.is_split[level]]).size:
        levels.append(level)
        level = np.concatenate([tree.left[level], tree.right[level]])
    return levels
