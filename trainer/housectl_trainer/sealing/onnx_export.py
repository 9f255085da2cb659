"""ONNX export of a model, exact to the last bit of each comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from housectl.contract.columns import Expansion
from housectl.contract.graph.arrays import Booleans, Integers
from housectl.contract.graph.body import GraphBody, check_body
from housectl.contract.graph.format import encode_graph
from housectl.contract.graph.linear_graph import LinearGraph
from housectl.contract.graph.tree_graph import Branch, TreeGraph
from housectl.contract.record import MalformedRecordError
from housectl.errors import SealError
from housectl_trainer.model_family import ModelBody
from housectl_trainer.sealing.branch_layout import put_likely_child_right
from housectl_trainer.target_scale import TargetScale
from housectl_trainer.trees import LEAF, Ensemble, Tree


@dataclass(frozen=True)
class OnnxExport:
    """A model as files of a bundle.

    Attributes:
        content: The graph, from columns to predictions in the target's unit.
        leaf_rows: `(leaves,)`, number of training rows in each leaf; None without trees.
    """

    content: bytes
    leaf_rows: Integers | None


def to_onnx(body: ModelBody, *, expansion: Expansion, scale: TargetScale) -> OnnxExport:
    """Return the graph of a model, and the numbers of rows in its leaves.

    Equal arguments give equal bytes.

    Raises:
        SealError: A tree is too deep, or there are too many trees.
    """
    graph, leaf_rows = _graph_body(body, expansion, scale)
    try:
        check_body(graph)
    except MalformedRecordError as error:
        raise SealError(
            f"The model cannot be exported to ONNX: {error}.",
            hint="Lower `max_depth` or `n_estimators` in housectl.yaml under `space:`.",
        ) from error
    content = encode_graph(graph, expansion=expansion, transform=scale.transform)
    return OnnxExport(content=content, leaf_rows=leaf_rows)


def _graph_body(
    body: ModelBody, expansion: Expansion, scale: TargetScale
) -> tuple[GraphBody, Integers | None]:
    """Return the body of a graph, and the numbers of rows in the leaves of trees."""
    match body:
        case Ensemble():
            ensemble = put_likely_child_right(_rescaled(body, scale), features=expansion.width)
            return _tree_graph(ensemble, is_nullable=expansion.is_nullable)
        case LinearGraph():
            graph = replace(body, target_deviation=scale.deviation, target_centre=scale.centre)
            return graph, None


def _rescaled(ensemble: Ensemble, scale: TargetScale) -> Ensemble:
    """Return trees that predict in the unit of the transformed target."""
    trees = tuple(replace(tree, weights=tree.weights * scale.deviation) for tree in ensemble.trees)
    offset = ensemble.offset * scale.deviation + scale.centre
    return replace(ensemble, trees=trees, offset=offset)


def _tree_graph(ensemble: Ensemble, *, is_nullable: Booleans) -> tuple[TreeGraph, Integers]:
    trees = [_with_split(tree) for tree in ensemble.trees]
    nodes = _concatenate(trees)
    is_split = nodes.is_split
    starts = np.cumsum([0, *(tree.is_split.sum() for tree in trees)])
    weights = nodes.weights[~is_split]
    # Each row ends in one leaf of the last tree, so these leaves can include the offset. A large
    # offset in the first tree would round the weights of all others.
    weights[starts[-2] + len(trees) - 1 :] += ensemble.offset
    # The operator numbers leaves and split nodes separately.
    numbers = np.where(is_split, np.cumsum(is_split), np.cumsum(~is_split)) - 1
    at_most, above = (
        Branch(children=numbers[children], are_leaves=~is_split[children])
        for children in (nodes.left[is_split], nodes.right[is_split])
    )
    features = nodes.features[is_split]
    # Libraries choose a side also for values that are never missing.
    missing_at_most = nodes.missing_left[is_split] & is_nullable[features % len(is_nullable)]
    graph = TreeGraph(
        columns=len(is_nullable),
        roots=starts[:-1],
        features=features,
        thresholds=nodes.thresholds[is_split],
        missing_at_most=missing_at_most,
        at_most=at_most,
        above=above,
        weights=weights,
    )
    return graph, nodes.rows[~is_split]


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
        missing_left=np.zeros(3, dtype=np.bool_),
        weights=np.array([weight, weight, weight]),
        rows=np.array([tree.rows[0], tree.rows[0], 0]),
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
        missing_left=np.concatenate([tree.missing_left for tree in trees]),
        weights=np.concatenate([tree.weights for tree in trees]),
        rows=np.concatenate([tree.rows for tree in trees]),
    )
