"""The ONNX graph of a bundle, as bytes.

A graph is accepted only if its bytes are exactly those that housectl writes for its body. So it
has no other operator, attribute, function, external file or unknown field.
"""

import math
from itertools import chain

import numpy as np
from msgspec import UNSET, UnsetType

from housectl.contract.columns import Expansion
from housectl.contract.graph.body import GraphBody, body_nodes, check_body, read_body
from housectl.contract.graph.onnx_fields import INPUT_NAME, OUTPUT_NAME, Element, Graph, Model
from housectl.contract.graph.onnx_messages import (
    Message,
    constant,
    integer,
    last_field,
    matrix,
    node,
    opset,
    tensor,
)
from housectl.contract.graph.protobuf import bytes_field, find_bytes, integer_field
from housectl.contract.record import MalformedRecordError
from housectl.contract.schema import Transform

ONNX_OPSET = 18
"""Version of ONNX's own operators in every graph."""

MAX_LOGARITHM = 170.0
"""Logarithms of predictions are clipped at this number and its negative.

Targets are at most 1e70, and squared errors of exp(170) are within the limit of evidence.
"""

_NAME = b"housectl"
_IR_VERSION = 9
_OPSETS = {"": ONNX_OPSET, "ai.onnx.ml": 5}


def encode_graph(
    body: GraphBody, *, expansion: Expansion, transform: Transform | UnsetType = UNSET
) -> bytes:
    """Return a graph from `rows`, `(n, columns)`, to `predictions`, `(n, 1)`, both doubles.

    Equal arguments give equal bytes.

    Args:
        body: Trees, or another model of the expanded columns.
        expansion: Expansion of the columns.
        transform: Transformation that the body predicts; the graph reverses it.
    """
    nodes = [
        *_expansion_nodes(expansion),
        *body_nodes(body, _body_input(expansion), _body_output(transform)),
        *_inversion_nodes(transform),
    ]
    parts = [
        *chain.from_iterable(bytes_field(Graph.NODE, *each) for each in nodes),
        *bytes_field(Graph.NAME, _NAME),
        *bytes_field(Graph.INPUT, *matrix(INPUT_NAME, expansion.columns)),
        *bytes_field(Graph.OUTPUT, *matrix(OUTPUT_NAME, 1)),
    ]
    model = [
        integer_field(Model.IR_VERSION, _IR_VERSION),
        *bytes_field(Model.PRODUCER, _NAME),
        *bytes_field(Model.GRAPH, *parts),
        *chain.from_iterable(opset(*each) for each in _OPSETS.items()),
    ]
    return b"".join(model)


def decode_graph(
    data: bytes, *, expansion: Expansion, transform: Transform | UnsetType = UNSET
) -> GraphBody:
    """Return the body of a graph that `encode_graph` returned for these arguments.

    Raises:
        MalformedRecordError: housectl does not write such a graph.
    """
    nodes = find_bytes(last_field(memoryview(data), Model.GRAPH), Graph.NODE)
    start, end = len(_expansion_nodes(expansion)), len(nodes) - len(_inversion_nodes(transform))
    body = read_body(nodes[start:end], columns=expansion.width)
    check_body(body)
    if encode_graph(body, expansion=expansion, transform=transform) != data:
        raise MalformedRecordError(
            f"housectl writes this model of {expansion.columns} columns otherwise"
        )
    return body


def _body_input(expansion: Expansion) -> str:
    return "expanded" if expansion.indicators else INPUT_NAME


def _body_output(transform: Transform | UnsetType) -> str:
    return OUTPUT_NAME if transform is UNSET else "transformed"


def _expansion_nodes(expansion: Expansion) -> list[Message]:
    """Return the operators that make an indicator of each code."""
    if not expansion.indicators:
        return []
    columns, codes = np.array(expansion.indicators, dtype=np.int64).T
    return [
        constant(tensor("value", np.array(expansion.kept, dtype=np.int64)), "kept"),
        constant(tensor("value", columns), "categories"),
        constant(tensor("value", codes.astype(np.float64)), "codes"),
        node("Gather", [INPUT_NAME, "kept"], "numbers", integer("axis", 1)),
        node("Gather", [INPUT_NAME, "categories"], "values", integer("axis", 1)),
        node("Equal", ["values", "codes"], "matches"),
        node("Cast", ["matches"], "indicators", integer("to", Element.DOUBLE)),
        node("Concat", ["numbers", "indicators"], "expanded", integer("axis", 1)),
    ]


def _inversion_nodes(transform: Transform | UnsetType) -> list[Message]:
    """Return the operators that reverse the transformation; their results are finite."""
    match transform:
        case Transform.LOG:
            return [
                constant(tensor("value", np.array(-MAX_LOGARITHM)), "smallest"),
                constant(tensor("value", np.array(MAX_LOGARITHM)), "largest"),
                constant(tensor("value", np.array(math.e)), "base"),
                node("Clip", ["transformed", "smallest", "largest"], "logarithms"),
                # Unlike Exp, Pow gives a row the same bits alone and in a batch.
                node("Pow", ["base", "logarithms"], OUTPUT_NAME),
            ]
        case _:
            return []
