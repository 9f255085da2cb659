"""Trees as onnxruntime walks them quickest, to the same leaves."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from housectl_trainer.trees import Ensemble, SplitComparison, Tree


def put_likely_child_right(ensemble: Ensemble, *, features: int) -> Ensemble:
    """Return trees that lead to the same leaves, the likelier child standing right.

    onnxruntime keeps the right child next to its parent, so going right costs no wait for memory,
    and a processor guesses well what nearly always happens. Where a node's children change places,
    it compares the negative of its value instead: mixed comparisons would be slower than both.

    Args:
        ensemble: Trees over rows of float32 numbers.
        features: How many columns a row has.

    Returns:
        Trees over rows that are followed by their own negatives, `(n, 2 * features)`; all compare
        with AT_MOST.
    """
    trees = tuple(
        _likely_right(tree, _highest(tree.thresholds, ensemble.comparison), features)
        for tree in ensemble.trees
    )
    return replace(ensemble, trees=trees, comparison=SplitComparison.LESS_EQUAL)


def _likely_right(tree: Tree, highest: NDArray[np.float32], features: int) -> Tree:
    leaves = _leaves(tree)
    swapped = tree.is_split & (leaves[tree.left] > leaves[tree.right])
    # A value is above `highest` exactly if its negative is at most that of the next float32 number.
    above = -np.nextafter(highest, np.float32(np.inf))
    return replace(
        tree,
        left=np.where(swapped, tree.right, tree.left),
        right=np.where(swapped, tree.left, tree.right),
        features=np.where(swapped, tree.features + features, tree.features),
        thresholds=np.where(swapped, above, highest).astype(np.float64),
    )


def _highest(thresholds: NDArray[np.float64], comparison: SplitComparison) -> NDArray[np.float32]:
    """Return, for each threshold, the largest float32 number that goes left."""
    nearest = thresholds.astype(np.float32)
    right = (
        nearest > thresholds if comparison is SplitComparison.LESS_EQUAL else nearest >= thresholds
    )
    return np.where(right, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _leaves(tree: Tree) -> NDArray[np.int64]:
    """Return `(n,)`, how many leaves are below each node, itself included."""
    leaves = np.ones(len(tree.left), dtype=np.int64)
    for level in reversed(_levels(tree)):
        leaves[level] = leaves[tree.left[level]] + leaves[tree.right[level]]
    return leaves


def _levels(tree: Tree) -> list[NDArray[np.int64]]:
    """Return the nodes that compare, by their distance from the root."""
    levels = []
    level = np.zeros(1, dtype=np.int64)
    while (level := level[tree.is_split[level]]).size:
        levels.append(level)
        level = np.concatenate([tree.left[level], tree.right[level]])
    return levels
