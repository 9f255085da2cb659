"""Tree graphs: the arrays of an ensemble of trees, in the form of ONNX's TreeEnsemble operator."""

from dataclasses import dataclass

import numpy as np

from housectl.contract.graph.arrays import MAX_SUM, Booleans, Doubles, Integers
from housectl.contract.record import require

MAX_LEAVES = 2**25
# onnxruntime reads a tree by recursion, and some ten thousand levels overflow its stack.
MAX_DEPTH = 2000


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
    require(set(lengths) == {splits}, "its lists have different lengths")
    require(len(graph.weights) == splits + len(roots), "its number of leaves is wrong")
    require(len(graph.weights) <= MAX_LEAVES, f"it has more than {MAX_LEAVES} leaves")
    starts_in_order = len(roots) and roots[0] == 0 and (np.diff(roots, append=splits) > 0).all()
    require(starts_in_order, "its trees overlap")


def _check_numbers(graph: TreeGraph) -> None:
    columns = 2 * graph.columns
    require(((graph.features >= 0) & (graph.features < columns)).all(), "a feature is unknown")
    require(np.isfinite(graph.thresholds).all(), "a threshold is not finite")
    with np.errstate(over="ignore", invalid="ignore"):
        leaf_starts = graph.roots + np.arange(len(graph.roots))
        largest = np.maximum.reduceat(np.abs(graph.weights), leaf_starts).sum()
    # NaN fails this comparison.
    require(largest <= MAX_SUM, "its sum of leaf weights is not finite")


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
        require(is_number.all(), "a child does not exist")
        nodes = branch.children + splits * branch.are_leaves
        require((tree_of_node[nodes] == tree_of_split).all(), "two of its trees share a node")
        reached.append(nodes)
    # There are as many children and roots as nodes, so no node is reached twice.
    is_reached = np.bincount(np.concatenate(reached), minlength=len(tree_of_node)) > 0
    require(is_reached.all(), "a node is not reached exactly once")


def _check_depth(graph: TreeGraph) -> None:
    """Check that the roots lead to all splits, in a limited number of steps.

    The other checks ensure that no split is reached twice, so a cycle is never entered.
    """
    level = graph.roots
    reached = depth = 0
    while len(level):
        reached += len(level)
        depth += 1
        require(depth <= MAX_DEPTH, f"a tree has more than {MAX_DEPTH} levels")
        level = np.concatenate(
            [branch.children[level][~branch.are_leaves[level]] for branch in graph.branches]
        )
    require(reached == len(graph.features), "its splits form a cycle")
