"""Tree graphs: the arrays of an ensemble of trees, in the form of ONNX's TreeEnsemble operator."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from housectl.contract.record import MalformedRecordError

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Doubles = NDArray[np.float64]

MAX_LEAVES = 2**25
# onnxruntime reads a tree by recursion, and some ten thousand levels overflow its stack.
MAX_DEPTH = 2000

# Half of the largest double: sums below it stay finite, whatever the order of addition.
_MAX_SUM = np.finfo(np.float64).max / 2


@dataclass(frozen=True)
class Branch:
    """The children of all splits on one side.

    Attributes:
        children: `(splits,)`, number of the child among the splits, or among the leaves.
        are_leaves: `(splits,)`, True if the child is a leaf.
    """

    children: Integers
    are_leaves: Booleans


@dataclass(frozen=True)
class TreeGraph:
    """Trees whose sum is the prediction.

    A row is followed by its own negatives. A split compares one value of it with a threshold.

    Attributes:
        columns: Number of features of a row.
        roots: `(trees,)`, number of each tree's first split. The splits of a tree are numbered
            consecutively, and so are its leaves.
        features: `(splits,)`, index of the value: below `columns`, or below `2 * columns` for a
            negative.
        thresholds: `(splits,)`, largest value that takes the first branch.
        missing_at_most: `(splits,)`, True if a missing value, NaN, takes the first branch.
        at_most: Children for values up to the threshold.
        above: Children for the other values.
        weights: `(leaves,)`, contribution to the prediction.
    """

    columns: int
    roots: Integers
    features: Integers
    thresholds: Doubles
    missing_at_most: Booleans
    at_most: Branch
    above: Branch
    weights: Doubles

    @property
    def branches(self) -> tuple[Branch, Branch]:
        """Both branches."""
        return self.at_most, self.above


def check_trees(graph: TreeGraph) -> None:
    """Check that each tree has its own nodes, and that every row gets a finite prediction.

    Raises:
        MalformedRecordError: The arrays are no trees, are too large, or have invalid numbers.
    """
    _check_sizes(graph)
    _check_numbers(graph)
    _check_nodes(graph)
    _check_depth(graph)


def _check_sizes(graph: TreeGraph) -> None:
    splits, roots = len(graph.features), graph.roots
    lengths = [len(graph.thresholds), len(graph.missing_at_most)]
    for branch in graph.branches:
        lengths += [len(branch.children), len(branch.are_leaves)]
    _require(set(lengths) == {splits}, "its lists have different lengths")
    _require(len(graph.weights) == splits + len(roots), "its number of leaves is wrong")
    _require(len(graph.weights) <= MAX_LEAVES, f"it has more than {MAX_LEAVES} leaves")
    starts_in_order = len(roots) and roots[0] == 0 and (np.diff(roots, append=splits) > 0).all()
    _require(starts_in_order, "its trees overlap")


def _check_numbers(graph: TreeGraph) -> None:
    columns = 2 * graph.columns
    _require(((graph.features >= 0) & (graph.features < columns)).all(), "a feature is unknown")
    _require(np.isfinite(graph.thresholds).all(), "a threshold is not finite")
    with np.errstate(over="ignore", invalid="ignore"):
        leaf_starts = graph.roots + np.arange(len(graph.roots))
        largest = np.maximum.reduceat(np.abs(graph.weights), leaf_starts).sum()
    # NaN fails this comparison.
    _require(largest <= _MAX_SUM, "its sum of leaf weights is not finite")


def _check_nodes(graph: TreeGraph) -> None:
    """Check that each node is reached once, and from its own tree."""
    splits = len(graph.features)
    trees = np.arange(len(graph.roots))
    sizes = np.diff(graph.roots, append=splits)
    tree_of_split = np.repeat(trees, sizes)
    tree_of_node = np.concatenate([tree_of_split, np.repeat(trees, sizes + 1)])
    reached = [graph.roots]
    for branch in graph.branches:
        limits = np.where(branch.are_leaves, len(graph.weights), splits)
        is_number = (branch.children >= 0) & (branch.children < limits)
        _require(is_number.all(), "a child does not exist")
        nodes = branch.children + splits * branch.are_leaves
        _require((tree_of_node[nodes] == tree_of_split).all(), "two of its trees share a node")
        reached.append(nodes)
    # There are as many children and roots as nodes, so no node is reached twice.
    is_reached = np.bincount(np.concatenate(reached), minlength=len(tree_of_node)) > 0
    _require(is_reached.all(), "a node is not reached exactly once")


def _check_depth(graph: TreeGraph) -> None:
    """Check that the roots lead to all splits, in a limited number of steps.

    The other checks ensure that no split is reached twice, so a cycle is never entered.
    """
    level = graph.roots
    reached = depth = 0
    while len(level):
        reached += len(level)
        depth += 1
        _require(depth <= MAX_DEPTH, f"a tree has more than {MAX_DEPTH} levels")
        level = np.concatenate(
            [branch.children[level][~branch.are_leaves[level]] for branch in graph.branches]
        )
    _require(reached == len(graph.features), "its splits form a cycle")


def _require(condition: object, problem: str) -> None:
    if not condition:
        raise MalformedRecordError(problem)
