"""ONNX export of a tree ensemble, exact to the last bit of each comparison."""

from collections.abc import Sequence

import numpy as np

from housectl.contract.graph_format import encode_graph
from housectl.contract.record import MalformedRecordError
from housectl.contract.tree_graph import Branch, TreeGraph, check_trees
from housectl.errors import SealError
from housectl_trainer.branch_layout import put_likely_child_right
from housectl_trainer.trees import LEAF, Ensemble, Tree


def to_onnx(ensemble: Ensemble, *, features: int) -> bytes:
    """Return a graph from `rows`, `(n, features)` doubles, to `predictions`, `(n, 1)` doubles.

    Equal ensembles give equal bytes.

    Raises:
        SealError: A tree is too deep, or there are too many trees.
    """
    graph = _tree_graph(put_likely_child_right(ensemble, features=features), columns=features)
    try:
        check_trees(graph)
    except MalformedRecordError as error:
        raise SealError(
            f"The model cannot be exported to ONNX: {error}.",
            hint="Lower `max_depth` or `n_estimators` in housectl.yaml under `space:`.",
        ) from error
    return encode_graph(graph)


def _tree_graph(ensemble: Ensemble, *, columns: int) -> TreeGraph:
    trees = [_with_split(tree) for tree in ensemble.trees]
    nodes = _concatenate(trees)
    is_split = nodes.is_split
    starts = np.cumsum([0, *(tree.is_split.sum() for tree in trees)])
    weights = nodes.weights[~is_split]
    # Each row ends in one leaf of the first tree, so these leaves can include the offset.
    weights[: starts[1] + 1] += ensemble.offset
    # The operator numbers leaves and split nodes separately.
    numbers = np.where(is_split, np.cumsum(is_split), np.cumsum(~is_split)) - 1
    at_most, above = (
        Branch(children=numbers[children], are_leaves=~is_split[children])
        for children in (nodes.left[is_split], nodes.right[is_split])
    )
    return TreeGraph(
        columns=columns,
        roots=starts[:-1],
        features=nodes.features[is_split],
        thresholds=nodes.thresholds[is_split],
        at_most=at_most,
        above=above,
        weights=weights,
    )


def _with_split(tree: Tree) -> Tree:
    """Return the tree with at least one split, which the operator requires."""
    if tree.is_split.any():
        return tree
    weight = tree.weights[0]
    return Tree(
        left=np.array([1, LEAF, LEAF]),
        right=np.array([2, LEAF, LEAF]),
        features=np.zeros(3, dtype=np.int64),
        thresholds=np.zeros(3),
        weights=np.array([weight, weight, weight]),
    )


def _concatenate(trees: Sequence[Tree]) -> Tree:
    """Return the nodes of all trees, numbered consecutively."""
    sizes = [len(tree.left) for tree in trees]
    starts = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    left = np.concatenate([tree.left for tree in trees])
    right = np.concatenate([tree.right for tree in trees])
    return Tree(
        left=np.where(left == LEAF, LEAF, left + starts),
        right=np.where(right == LEAF, LEAF, right + starts),
        features=np.concatenate([tree.features for tree in trees]),
        thresholds=np.concatenate([tree.thresholds for tree in trees]),
        weights=np.concatenate([tree.weights for tree in trees]),
    )
