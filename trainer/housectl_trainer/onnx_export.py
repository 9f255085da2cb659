"""ONNX export of a tree ensemble, exact to the last bit of each comparison."""

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
_LESS_EQUAL = 0
_SUM = 1


def to_onnx(ensemble: Ensemble, *, features: int) -> bytes:
    """Return a graph from `rows`, `(n, features)` doubles, to `predictions`, `(n, 1)` doubles.

    The graph rounds rows to float32 as the libraries do, and compares and adds in double. Equal
    ensembles give equal bytes.

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
    trees = [_with_split(tree) for tree in ensemble.trees]
    nodes = _concatenate(trees)
    is_split = nodes.is_split
    starts = np.cumsum([0, *(tree.is_split.sum() for tree in trees)])
    weights = nodes.weights[~is_split]
    # Each row ends in one leaf of the first tree, so these leaves can include the offset.
    weights[: len(trees[0].is_split) - starts[1]] += ensemble.offset
    # The operator numbers leaves and split nodes separately.
    numbers = np.where(is_split, np.cumsum(is_split), np.cumsum(~is_split)) - 1
    left, right = nodes.left[is_split], nodes.right[is_split]
    return helper.make_node(
        "TreeEnsemble",
        ["both"],
        [OUTPUT_NAME],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function=_SUM,
        tree_roots=starts[:-1].tolist(),
        nodes_featureids=nodes.features[is_split].tolist(),
        nodes_splits=_tensor(nodes.thresholds[is_split]),
        nodes_modes=_tensor(np.full(starts[-1], _LESS_EQUAL, dtype=np.uint8)),
        nodes_truenodeids=numbers[left].tolist(),
        nodes_trueleafs=(~is_split[left]).astype(int).tolist(),
        nodes_falsenodeids=numbers[right].tolist(),
        nodes_falseleafs=(~is_split[right]).astype(int).tolist(),
        leaf_targetids=[0] * len(weights),
        leaf_weights=_tensor(weights),
    )


def _with_split(tree: Tree) -> Tree:
    """Return the tree with at least one split, which the operator requires."""
    if tree.is_split.any():
        return tree
    return Tree(
        left=np.array([1, LEAF]),
        right=np.array([1, LEAF]),
        features=np.array([0, 0]),
        thresholds=np.zeros(2),
        weights=np.array([0.0, tree.weights[0]]),
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


def _tensor(values: NDArray[np.generic]) -> onnx.TensorProto:
    return numpy_helper.from_array(values)
