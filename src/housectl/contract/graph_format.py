"""The ONNX graph of a bundle, as bytes.

A graph is accepted only if its bytes are exactly those that housectl writes for its trees. So it
has no other operator, attribute, function, external file or unknown field.
"""

from collections.abc import Mapping
from itertools import chain

import numpy as np

from housectl.contract.onnx_fields import (
    INPUT_NAME,
    OUTPUT_NAME,
    Attribute,
    Dimension,
    Element,
    Graph,
    Kind,
    Model,
    Node,
    Opset,
    Shape,
    Tensor,
    TensorType,
    Type,
    Value,
)
from housectl.contract.protobuf import (
    bytes_field,
    find_bytes,
    integer_field,
    integer_fields,
    read_integers,
)
from housectl.contract.record import MalformedRecordError
from housectl.contract.tree_graph import Booleans, Branch, Doubles, Integers, TreeGraph, check_trees

ONNX_OPSET = 18
"""Version of ONNX's own operators in every graph."""

_NAME = b"housectl"
_IR_VERSION = 9
_OPSETS = {"": ONNX_OPSET, "ai.onnx.ml": 5}
_SUM = 1
_KIND_LENGTH = 3


def encode_graph(graph: TreeGraph) -> bytes:
    """Return the graph of trees: from `rows`, `(n, columns)`, to `predictions`, `(n, 1)`.

    Both are doubles. The graph rounds rows to float32 as the libraries do, and compares and adds in
    double. Equal trees give equal bytes.

    Reference: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
    """
    nodes = [
        _node("Cast", [INPUT_NAME], "single", _integer("to", Element.FLOAT)),
        _node("Cast", ["single"], "rounded", _integer("to", Element.DOUBLE)),
        _node("Neg", ["rounded"], "negative"),
        _node("Concat", ["rounded", "negative"], "both", _integer("axis", 1)),
        _node("TreeEnsemble", ["both"], OUTPUT_NAME, *_ensemble(graph), domain="ai.onnx.ml"),
    ]
    parts = [
        *chain.from_iterable(bytes_field(Graph.NODE, *node) for node in nodes),
        *bytes_field(Graph.NAME, _NAME),
        *bytes_field(Graph.INPUT, *_matrix(INPUT_NAME, graph.columns)),
        *bytes_field(Graph.OUTPUT, *_matrix(OUTPUT_NAME, 1)),
    ]
    model = [
        integer_field(Model.IR_VERSION, _IR_VERSION),
        *bytes_field(Model.PRODUCER, _NAME),
        *bytes_field(Model.GRAPH, *parts),
        *chain.from_iterable(_opset(*opset) for opset in _OPSETS.items()),
    ]
    return b"".join(model)


def decode_graph(data: bytes, *, columns: int) -> TreeGraph:
    """Return the trees of a graph that `encode_graph` returned.

    Args:
        data: The bytes of the graph.
        columns: Number of features of a row.

    Raises:
        MalformedRecordError: housectl does not write such a graph.
    """
    ensemble = _last(_last(memoryview(data), Model.GRAPH), Graph.NODE)
    contents = dict(map(_name_and_content, find_bytes(ensemble, Node.ATTRIBUTE)))
    try:
        graph = _read_trees(contents, columns=columns)
    except KeyError as error:
        raise MalformedRecordError(f"its last operator has no {error.args[0]}") from error
    check_trees(graph)
    if encode_graph(graph) != data:
        raise MalformedRecordError(f"housectl writes these trees of {columns} features otherwise")
    return graph


def _read_trees(contents: Mapping[str, memoryview], *, columns: int) -> TreeGraph:
    """Return the trees of the TreeEnsemble operator, from the contents of its attributes."""
    thresholds = _read_doubles(contents["nodes_splits"])
    weights = _read_doubles(contents["leaf_weights"])
    splits, trees = len(thresholds), len(weights) - len(thresholds)

    def branch(side: str) -> Branch:
        return Branch(
            children=read_integers(contents[f"nodes_{side}nodeids"], size=splits),
            are_leaves=read_integers(contents[f"nodes_{side}leafs"], size=splits).astype(bool),
        )

    return TreeGraph(
        columns=columns,
        roots=read_integers(contents["tree_roots"], size=trees),
        features=read_integers(contents["nodes_featureids"], size=splits),
        thresholds=thresholds,
        at_most=branch("true"),
        above=branch("false"),
        weights=weights,
    )


def _ensemble(graph: TreeGraph) -> list[list[bytes]]:
    """Return the attributes of the TreeEnsemble operator, in alphabetical order."""
    splits, leaves = len(graph.thresholds), len(graph.weights)
    return [
        _integer("aggregate_function", _SUM),
        _integers("leaf_targetids", np.zeros(leaves, dtype=np.int64)),
        _tensor("leaf_weights", graph.weights.tobytes(), leaves, Element.DOUBLE),
        _integer("n_targets", 1),
        _integers("nodes_falseleafs", graph.above.are_leaves),
        _integers("nodes_falsenodeids", graph.above.children),
        _integers("nodes_featureids", graph.features),
        # Mode 0 is "less or equal".
        _tensor("nodes_modes", bytes(splits), splits, Element.UINT8),
        _tensor("nodes_splits", graph.thresholds.tobytes(), splits, Element.DOUBLE),
        _integers("nodes_trueleafs", graph.at_most.are_leaves),
        _integers("nodes_truenodeids", graph.at_most.children),
        _integers("tree_roots", graph.roots),
    ]


def _node(
    operator: str, inputs: list[str], output: str, *attributes: list[bytes], domain: str = ""
) -> list[bytes]:
    return [
        *chain.from_iterable(bytes_field(Node.INPUT, name.encode()) for name in inputs),
        *bytes_field(Node.OUTPUT, output.encode()),
        *bytes_field(Node.OPERATOR, operator.encode()),
        *chain.from_iterable(bytes_field(Node.ATTRIBUTE, *each) for each in attributes),
        *(bytes_field(Node.DOMAIN, domain.encode()) if domain else ()),
    ]


def _integer(name: str, value: int) -> list[bytes]:
    return _attribute(name, Kind.INTEGER, integer_field(Attribute.INTEGER, value))


def _integers(name: str, values: Integers | Booleans) -> list[bytes]:
    return _attribute(name, Kind.INTEGERS, integer_fields(Attribute.INTEGERS, values))


def _tensor(name: str, data: bytes, size: int, element: Element) -> list[bytes]:
    tensor = [
        integer_field(Tensor.DIMENSION, size),
        integer_field(Tensor.ELEMENT, element),
        *bytes_field(Tensor.DATA, data),
    ]
    return _attribute(name, Kind.TENSOR, *bytes_field(Attribute.TENSOR, *tensor))


def _attribute(name: str, kind: Kind, *content: bytes) -> list[bytes]:
    return [
        *bytes_field(Attribute.NAME, name.encode()),
        *content,
        integer_field(Attribute.KIND, kind),
    ]


def _matrix(name: str, columns: int) -> list[bytes]:
    """Return the description of an array of doubles with any number of rows."""
    shape = [
        *bytes_field(Shape.DIMENSION),
        *bytes_field(Shape.DIMENSION, integer_field(Dimension.VALUE, columns)),
    ]
    tensor = [
        integer_field(TensorType.ELEMENT, Element.DOUBLE),
        *bytes_field(TensorType.SHAPE, *shape),
    ]
    return [
        *bytes_field(Value.NAME, name.encode()),
        *bytes_field(Value.TYPE, *bytes_field(Type.TENSOR, *tensor)),
    ]


def _opset(domain: str, version: int) -> list[bytes]:
    return bytes_field(
        Model.OPSET,
        *bytes_field(Opset.DOMAIN, domain.encode()),
        integer_field(Opset.VERSION, version),
    )


def _name_and_content(attribute: memoryview) -> tuple[str, memoryview]:
    """Return an attribute's name, and its bytes between its name and its kind."""
    start = 2 + int.from_bytes(attribute[1:2])
    name = bytes(attribute[2:start]).decode(errors="replace")
    return name, attribute[start:-_KIND_LENGTH]


def _read_doubles(content: memoryview) -> Doubles:
    data = _last(_last(content, Attribute.TENSOR), Tensor.DATA)
    return np.frombuffer(data[: len(data) // 8 * 8], dtype=np.float64)


def _last(message: memoryview, number: int) -> memoryview:
    contents = find_bytes(message, number)
    if not contents:
        raise MalformedRecordError(f"a message has no field {number}")
    return contents[-1]
