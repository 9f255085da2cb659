"""The ONNX form of a tree ensemble, exact to the last bit of each comparison."""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from housectl.contract.scorer import INPUT_NAME, OUTPUT_NAME
from housectl_trainer.branch_layout import put_likely_child_right
from housectl_trainer.trees import LEAF, Ensemble, Tree

_OPSETS = {"": 18, "ai.onnx.ml": 5}
_IR_VERSION = 9
_AT_MOST = 0
_SUM = 1


def to_onnx(ensemble: Ensemble, *, features: int) -> bytes:
    """Return a graph from `rows`, `(n, features)` doubles, to `predictions`, `(n, 1)` doubles.

    Both libraries round a row to float32 before they compare it, so the graph does too; it compares
    and adds in double. Equal ensembles give equal bytes.

    Reference: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
    """
    nodes = [
        helper.make_node("Cast", [INPUT_NAME], ["single"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["single"], ["rounded"], to=TensorProto.DOUBLE),
        helper.make_node("Neg", ["rounded"], ["negative"]),
        helper.make_node("Concat", ["rounded", "negative"], ["both"], axis=1),
        _ensemble_node(put_likely_child_right(ensemble, features=features)),
    ]
    graph = helper.make_graph(
        nodes,
        "housectl",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.DOUBLE, [None, features])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.DOUBLE, [None, 1])],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid(*opset) for opset in _OPSETS.items()],
        ir_version=_IR_VERSION,
        producer_name="housectl",
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _ensemble_node(ensemble: Ensemble) -> onnx.NodeProto:
    trees = [_rooted(tree) for tree in ensemble.trees]
    nodes = _joined(trees)
    inner = nodes.is_split
    starts = np.cumsum([0, *(tree.is_split.sum() for tree in trees)])
    weights = nodes.weights[~inner]
    # Each row ends in one leaf of the first tree, so that is the place for the offset.
    weights[: len(trees[0].is_split) - starts[1]] += ensemble.offset
    # The operator numbers leaves apart from the nodes that compare.
    numbers = np.where(inner, np.cumsum(inner), np.cumsum(~inner)) - 1
    left, right = nodes.left[inner], nodes.right[inner]
    return helper.make_node(
        "TreeEnsemble",
        ["both"],
        [OUTPUT_NAME],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function=_SUM,
        tree_roots=starts[:-1].tolist(),
        nodes_featureids=nodes.features[inner].tolist(),
        nodes_splits=_tensor(nodes.thresholds[inner]),
        nodes_modes=_tensor(np.full(starts[-1], _AT_MOST, dtype=np.uint8)),
        nodes_truenodeids=numbers[left].tolist(),
        nodes_trueleafs=(~inner[left]).astype(int).tolist(),
        nodes_falsenodeids=numbers[right].tolist(),
        nodes_falseleafs=(~inner[right]).astype(int).tolist(),
        leaf_targetids=[0] * len(weights),
        leaf_weights=_tensor(weights),
    )


def _rooted(tree: Tree) -> Tree:
    """Give a tree that is only a leaf a node above it: the operator cannot say it otherwise."""
    if tree.is_split.any():
        return tree
    return Tree(
        left=np.array([1, LEAF]),
        right=np.array([1, LEAF]),
        features=np.array([0, 0]),
        thresholds=np.zeros(2),
        weights=np.array([0.0, tree.weights[0]]),
    )


def _joined(trees: Sequence[Tree]) -> Tree:
    """Return all nodes in one numbering."""
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


def _tensor(values: NDArray[np.generic]) -> onnx.TensorProto:
    return numpy_helper.from_array(values)
