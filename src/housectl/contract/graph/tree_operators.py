"""The operators of trees in a graph: written, and read again."""

import numpy as np

from housectl.contract.graph.arrays import Booleans
from housectl.contract.graph.onnx_fields import Element
from housectl.contract.graph.onnx_messages import (
    Message,
    attributes_of,
    integer,
    integers,
    node,
    read_doubles,
    tensor,
)
from housectl.contract.graph.protobuf import read_integers
from housectl.contract.graph.tree_graph import Branch, TreeGraph
from housectl.contract.record import MalformedRecordError

TREE_OPERATOR = "TreeEnsemble"
"""The last operator of trees."""

_SUM = 1
_MISSING = "nodes_missing_value_tracks_true"


def tree_nodes(graph: TreeGraph, source: str, output: str) -> list[Message]:
    """Return the operators of trees.

    They round rows to float32 as the libraries do, and compare and add in double.

    Reference: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html

    Args:
        graph: The trees.
        source: Name of the rows, `(n, columns)` doubles.
        output: Name of the sums, `(n, 1)` doubles.
    """
    return [
        node("Cast", [source], "single", integer("to", Element.FLOAT)),
        node("Cast", ["single"], "rounded", integer("to", Element.DOUBLE)),
        node("Neg", ["rounded"], "negative"),
        node("Concat", ["rounded", "negative"], "both", integer("axis", 1)),
        node(TREE_OPERATOR, ["both"], output, *_attributes(graph), domain="ai.onnx.ml"),
    ]


def read_trees(ensemble: memoryview, *, columns: int) -> TreeGraph:
    """Return the trees of the operator TreeEnsemble.

    Raises:
        MalformedRecordError: The operator lacks an attribute, or its lists have different lengths.
    """
    contents = attributes_of(ensemble)
    try:
        return _read_trees(contents, columns)
    except KeyError as error:
        raise MalformedRecordError(f"its trees have no {error.args[0]}") from error


def _read_trees(contents: dict[str, memoryview], columns: int) -> TreeGraph:
    thresholds = read_doubles(contents["nodes_splits"])
    weights = read_doubles(contents["leaf_weights"])
    splits, trees = len(thresholds), len(weights) - len(thresholds)

    def flags(name: str) -> Booleans:
        return read_integers(contents[name], size=splits).astype(bool)

    def branch(side: str) -> Branch:
        return Branch(
            children=read_integers(contents[f"nodes_{side}nodeids"], size=splits),
            are_leaves=flags(f"nodes_{side}leafs"),
        )

    return TreeGraph(
        columns=columns,
        roots=read_integers(contents["tree_roots"], size=trees),
        features=read_integers(contents["nodes_featureids"], size=splits),
        thresholds=thresholds,
        missing_at_most=flags(_MISSING) if _MISSING in contents else np.zeros(splits, dtype=bool),
        at_most=branch("true"),
        above=branch("false"),
        weights=weights,
    )


def _attributes(graph: TreeGraph) -> list[Message]:
    """Return the attributes of the operator TreeEnsemble, in alphabetical order."""
    splits, leaves = len(graph.thresholds), len(graph.weights)
    has_missing = graph.missing_at_most.any()
    return [
        integer("aggregate_function", _SUM),
        integers("leaf_targetids", np.zeros(leaves, dtype=np.int64)),
        tensor("leaf_weights", graph.weights),
        integer("n_targets", 1),
        integers("nodes_falseleafs", graph.above.are_leaves),
        integers("nodes_falsenodeids", graph.above.children),
        integers("nodes_featureids", graph.features),
        *([integers(_MISSING, graph.missing_at_most)] if has_missing else []),
        # Mode 0 is "less or equal".
        tensor("nodes_modes", np.zeros(splits, dtype=np.uint8)),
        tensor("nodes_splits", graph.thresholds),
        integers("nodes_trueleafs", graph.at_most.are_leaves),
        integers("nodes_truenodeids", graph.at_most.children),
        integers("tree_roots", graph.roots),
    ]
