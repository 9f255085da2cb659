"""Graphs of random trees, and the same graphs as the onnx package writes them."""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from housectl.contract.columns import Expansion
from housectl.contract.graph.onnx_fields import INPUT_NAME, OUTPUT_NAME
from housectl.contract.graph.tree_graph import Branch, TreeGraph
from housectl.contract.schema import Feature, Schema, Target

COLUMNS = 5
MISSING = "nodes_missing_value_tracks_true"


def number_schema(columns: int) -> Schema:
    """Return a schema of numbers."""
    return Schema(
        features=tuple(
            Feature(name=f"x{number}", minimum=0, maximum=1) for number in range(columns)
        ),
        target=Target(name="y"),
    )


def random_forest(*, trees: int, splits: int, seed: int = 0) -> TreeGraph:
    """Return trees of random shapes with the same number of splits."""
    generator = np.random.default_rng(seed)
    children = np.zeros((trees * splits, 2), dtype=np.int64)
    are_leaves = np.ones(children.shape, dtype=np.bool_)
    for tree in range(trees):
        first = tree * splits
        open_places = [(first, 0), (first, 1)]
        for split in range(first + 1, first + splits):
            place = open_places.pop(generator.integers(len(open_places)))
            children[place], are_leaves[place] = split, False
            open_places += [(split, 0), (split, 1)]
        for leaf, place in enumerate(open_places, start=first + tree):
            children[place] = leaf
    return TreeGraph(
        columns=COLUMNS,
        roots=np.arange(trees) * splits,
        features=generator.integers(2 * COLUMNS, size=len(children)),
        thresholds=generator.normal(size=len(children)).astype(np.float32).astype(np.float64),
        missing_at_most=np.zeros(len(children), dtype=np.bool_),
        at_most=Branch(children=children[:, 0], are_leaves=are_leaves[:, 0]),
        above=Branch(children=children[:, 1], are_leaves=are_leaves[:, 1]),
        weights=generator.normal(size=len(children) + trees),
    )


def chain(depth: int) -> TreeGraph:
    """Return one tree with one split on each level."""
    children = np.arange(1, depth + 1)
    is_last = children == depth
    return TreeGraph(
        columns=COLUMNS,
        roots=np.array([0]),
        features=np.zeros(depth, dtype=np.int64),
        thresholds=np.arange(depth, dtype=np.float64),
        missing_at_most=np.zeros(depth, dtype=np.bool_),
        at_most=Branch(children=children - 1, are_leaves=np.ones(depth, dtype=np.bool_)),
        above=Branch(children=children, are_leaves=is_last),
        weights=np.ones(depth + 1),
    )


def predict(graph: TreeGraph, rows: np.ndarray) -> np.ndarray:
    """Evaluate the trees in NumPy, and return `(n,)` predictions."""
    with np.errstate(over="ignore"):
        rounded = rows.astype(np.float32).astype(np.float64)
    values = np.concatenate([rounded, -rounded], axis=1)
    total = np.zeros(len(rows))
    for root in graph.roots:
        splits = np.full(len(rows), root)
        leaves = np.full(len(rows), -1)
        while (is_open := leaves < 0).any():
            compared = values[np.arange(len(rows)), graph.features[splits]]
            is_low = compared <= graph.thresholds[splits]
            is_low |= np.isnan(compared) & graph.missing_at_most[splits]
            children, are_leaves = (
                np.where(is_low, low[splits], high[splits])
                for low, high in (
                    (graph.at_most.children, graph.above.children),
                    (graph.at_most.are_leaves, graph.above.are_leaves),
                )
            )
            leaves = np.where(is_open & are_leaves, children, leaves)
            splits = np.where(are_leaves, splits, children)
        total += graph.weights[leaves]
    return total


def onnx_model(graph: TreeGraph) -> onnx.ModelProto:
    """Return the graph of trees, built with the onnx package."""
    splits, leaves = len(graph.features), len(graph.weights)
    has_missing = graph.missing_at_most.any()
    nodes = [
        helper.make_node("Cast", [INPUT_NAME], ["single"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["single"], ["rounded"], to=TensorProto.DOUBLE),
        helper.make_node("Neg", ["rounded"], ["negative"]),
        helper.make_node("Concat", ["rounded", "negative"], ["both"], axis=1),
        helper.make_node(
            "TreeEnsemble",
            ["both"],
            [OUTPUT_NAME],
            domain="ai.onnx.ml",
            n_targets=1,
            aggregate_function=1,
            tree_roots=graph.roots.tolist(),
            nodes_featureids=graph.features.tolist(),
            nodes_splits=numpy_helper.from_array(graph.thresholds),
            nodes_modes=numpy_helper.from_array(np.zeros(splits, dtype=np.uint8)),
            nodes_truenodeids=graph.at_most.children.tolist(),
            nodes_trueleafs=graph.at_most.are_leaves.astype(int).tolist(),
            nodes_falsenodeids=graph.above.children.tolist(),
            nodes_falseleafs=graph.above.are_leaves.astype(int).tolist(),
            leaf_targetids=[0] * leaves,
            leaf_weights=numpy_helper.from_array(graph.weights),
            **({MISSING: graph.missing_at_most.astype(int).tolist()} if has_missing else {}),
        ),
    ]
    onnx_graph = helper.make_graph(
        nodes,
        "housectl",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.DOUBLE, [None, graph.columns])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.DOUBLE, [None, 1])],
    )
    return helper.make_model(
        onnx_graph,
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 5)],
        ir_version=9,
        producer_name="housectl",
    )


def read_model(data: bytes) -> TreeGraph:
    """Return the trees of a graph, read with the onnx package."""
    model = onnx.load_from_string(data)
    attributes = {
        each.name: helper.get_attribute_value(each) for each in model.graph.node[-1].attribute
    }

    def integers(name: str) -> np.ndarray:
        return np.array(attributes[name], dtype=np.int64)

    def branch(side: str) -> Branch:
        return Branch(
            children=integers(f"nodes_{side}nodeids"),
            are_leaves=integers(f"nodes_{side}leafs").astype(np.bool_),
        )

    thresholds = numpy_helper.to_array(attributes["nodes_splits"])
    return TreeGraph(
        columns=model.graph.input[0].type.tensor_type.shape.dim[1].dim_value,
        roots=integers("tree_roots"),
        features=integers("nodes_featureids"),
        thresholds=thresholds,
        missing_at_most=np.array(attributes.get(MISSING, [0] * len(thresholds)), dtype=np.bool_),
        at_most=branch("true"),
        above=branch("false"),
        weights=numpy_helper.to_array(attributes["leaf_weights"]),
    )


def column_model(graph: TreeGraph, expansion: Expansion, *, log: bool) -> onnx.ModelProto:
    """Return a graph that also expands columns and reverses the logarithm, as onnx builds it."""
    model = onnx_model(graph)
    trees = list(model.graph.node)
    trees[0].input[0] = "expanded"
    nodes = [*_expansion(expansion), *trees]
    if log:
        trees[-1].output[0] = "transformed"
        nodes += _exponential()
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    columns = model.graph.input[0].type.tensor_type.shape.dim[1]
    columns.dim_value = expansion.columns
    return model


def _expansion(expansion: Expansion) -> list[onnx.NodeProto]:
    categories, codes = zip(*expansion.indicators, strict=True)
    return [
        _constant("kept", np.array(expansion.kept, dtype=np.int64)),
        _constant("categories", np.array(categories, dtype=np.int64)),
        _constant("codes", np.array(codes, dtype=np.float64)),
        helper.make_node("Gather", [INPUT_NAME, "kept"], ["numbers"], axis=1),
        helper.make_node("Gather", [INPUT_NAME, "categories"], ["values"], axis=1),
        helper.make_node("Equal", ["values", "codes"], ["matches"]),
        helper.make_node("Cast", ["matches"], ["indicators"], to=TensorProto.DOUBLE),
        helper.make_node("Concat", ["numbers", "indicators"], ["expanded"], axis=1),
    ]


def _exponential() -> list[onnx.NodeProto]:
    return [
        _constant("smallest", np.array(-170.0)),
        _constant("largest", np.array(170.0)),
        _constant("base", np.array(math.e)),
        helper.make_node("Clip", ["transformed", "smallest", "largest"], ["logarithms"]),
        helper.make_node("Pow", ["base", "logarithms"], [OUTPUT_NAME]),
    ]


def _constant(name: str, value: np.ndarray) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
