"""Contributions of columns to the predictions of trees, along the paths of rows.

Method: Saabas, "Interpreting random forests" (2014), http://blog.datadive.net/interpreting-random-forests/.
A node has the mean prediction of the training rows that reach it. A step of a row from a node to a
child adds the change of this mean to the contribution of the column that the node compares.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from housectl.contract.graph.arrays import Booleans, Doubles, Integers
from housectl.contract.graph.tree_graph import TreeGraph

# Arrays with one element for each row and tree have about this many elements.
_BLOCK_SIZE = 2**18


@dataclass(frozen=True)
class _NodeMeans:
    """Means of all nodes.

    Attributes:
        splits: `(splits,)`, mean prediction at each split.
        children: `(splits, 2)`, mean prediction at the children of each split.
    """

    splits: Doubles
    children: Doubles


class TreePaths:
    """Computes the contributions of columns to the predictions of a graph.

    Args:
        graph: The trees, checked.
        leaf_rows: `(leaves,)`, number of training rows in each leaf.
        groups: `(columns,)`, number of the group of each column; contributions are added by group.

    Attributes:
        baseline: Mean prediction of the training rows: the sum of the roots' means.
    """

    def __init__(self, graph: TreeGraph, leaf_rows: Integers, groups: Integers) -> None:
        means = _node_means(graph, leaf_rows)
        self.baseline = float(means.splits[graph.roots].sum())
        self._roots = graph.roots
        self._columns = graph.columns
        self._places = graph.features.astype(np.int32)
        self._thresholds = graph.thresholds
        self._missing_at_most = graph.missing_at_most
        self._groups = groups[graph.features % graph.columns]
        self._number_of_groups = int(groups.max()) + 1
        # The two children of a split are neighbours in these arrays.
        self._children, self._are_leaves = (
            np.stack(pair, axis=1).ravel()
            for pair in (
                [branch.children for branch in graph.branches],
                [branch.are_leaves for branch in graph.branches],
            )
        )
        self._steps = (means.children - means.splits[:, np.newaxis]).ravel()

    def contributions(self, rows: Doubles) -> Doubles:
        """Return `(n, groups)` contributions; with the baseline, they add up to the prediction.

        Args:
            rows: `(n, columns)`; NaN if missing.
        """
        size = max(1, _BLOCK_SIZE // len(self._roots))
        blocks = [self._block(rows[start : start + size]) for start in range(0, len(rows), size)]
        return np.concatenate([np.empty((0, self._number_of_groups)), *blocks])

    def _block(self, rows: Doubles) -> Doubles:
        # Trees round rows to float32, and compare in double.
        rounded = rows.astype(np.float32).astype(np.float64)
        values = np.concatenate([rounded, -rounded], axis=1)
        total = np.zeros(len(rows) * self._number_of_groups)
        for places, steps in self._levels(values):
            total += np.bincount(places, weights=steps, minlength=len(total))
        return total.reshape(len(rows), self._number_of_groups)

    def _levels(self, values: Doubles) -> Iterator[tuple[Integers, Doubles]]:
        """Yield the steps of each level: the places of row and group, and the changes."""
        has_missing = bool(np.isnan(values).any())
        flat, width = values.ravel(), values.shape[1]
        rows = np.repeat(np.arange(len(values)), len(self._roots))
        splits = np.tile(self._roots, len(values))
        while len(splits):
            compared = flat[rows * width + self._places[splits]]
            is_at_most = compared <= self._thresholds[splits]
            if has_missing:
                is_at_most |= np.isnan(compared) & self._missing_at_most[splits]
            taken = 2 * splits + ~is_at_most
            yield rows * self._number_of_groups + self._groups[splits], self._steps[taken]
            goes_on = ~self._are_leaves[taken]
            rows, splits = rows[goes_on], self._children[taken[goes_on]]


def _node_means(graph: TreeGraph, leaf_rows: Integers) -> _NodeMeans:
    """Return the means of all nodes, from the leaves up to the roots."""
    splits = len(graph.features)
    rows, means = np.zeros(splits), np.zeros(splits)
    children_means = np.zeros((splits, 2))
    for level in reversed(_levels_of(graph)):
        counts, values = np.empty((2, len(level))), np.empty((2, len(level)))
        for side, branch in enumerate(graph.branches):
            children, is_leaf = branch.children[level], branch.are_leaves[level]
            counts[side] = _choose(is_leaf, leaf_rows, rows, children)
            values[side] = _choose(is_leaf, graph.weights, means, children)
        total = counts.sum(axis=0)
        # No training row reaches such a split, so any mean of its children is as good.
        shares = np.where(total > 0, counts / np.maximum(total, 1), 0.5)
        rows[level] = total
        means[level] = (shares * values).sum(axis=0)
        children_means[level] = values.T
    return _NodeMeans(splits=means, children=children_means)


def _choose(
    is_leaf: Booleans,
    of_leaves: NDArray[np.int64 | np.float64],
    of_splits: Doubles,
    nodes: Integers,
) -> Doubles:
    """Return the values of nodes, which are leaves or splits."""
    chosen = np.empty(len(nodes))
    chosen[is_leaf] = of_leaves[nodes[is_leaf]]
    chosen[~is_leaf] = of_splits[nodes[~is_leaf]]
    return chosen


def _levels_of(graph: TreeGraph) -> list[Integers]:
    """Return the splits of all trees, grouped by their distance from the roots."""
    levels, level = [], graph.roots
    while len(level):
        levels.append(level)
        level = np.concatenate(
            [branch.children[level][~branch.are_leaves[level]] for branch in graph.branches]
        )
    return levels
