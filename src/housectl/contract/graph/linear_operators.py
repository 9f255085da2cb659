"""Operators of a linear graph, which round as NumPy does."""

from collections.abc import Sequence

import numpy as np

from housectl.contract.graph.arrays import Doubles
from housectl.contract.graph.linear_graph import LinearGraph
from housectl.contract.graph.onnx_messages import (
    Message,
    attributes_of,
    constant,
    integer,
    node,
    read_doubles,
    tensor,
)
from housectl.contract.record import MalformedRecordError

LINEAR_OPERATOR = "Add"
"""The last operator of a linear graph."""


def linear_nodes(graph: LinearGraph, source: str, output: str) -> list[Message]:
    """Return the operators of a linear graph, from the columns to one number per row.

    ReduceSum and MatMul add in an order that depends on the processor. CumSum adds one column after
    another, so each machine predicts the same bits.

    References: https://onnx.ai/onnx/operators/onnx__Where.html and
    https://onnx.ai/onnx/operators/onnx__CumSum.html
    """
    return [
        _doubles("centres", graph.centres),
        _doubles("weights", graph.weights),
        _doubles("missing", graph.missing),
        _doubles("intercept", np.array([graph.intercept])),
        _doubles("target_deviation", np.array([graph.target_deviation])),
        _doubles("target_centre", np.array([graph.target_centre])),
        constant(tensor("value", np.array(1, dtype=np.int64)), "axis"),
        constant(tensor("value", np.array([graph.columns - 1], dtype=np.int64)), "last"),
        node("Sub", [source, "centres"], "distances"),
        node("Mul", ["distances", "weights"], "products"),
        node("IsNaN", [source], "gaps"),
        node("Where", ["gaps", "missing", "products"], "terms"),
        node("CumSum", ["terms", "axis"], "sums"),
        node("Gather", ["sums", "last"], "sum", integer("axis", 1)),
        node("Add", ["sum", "intercept"], "standardised"),
        node("Mul", ["standardised", "target_deviation"], "deviation"),
        node(LINEAR_OPERATOR, ["deviation", "target_centre"], output),
    ]


def read_linear(nodes: Sequence[memoryview], *, columns: int) -> LinearGraph:
    """Return the linear graph of these operators, from the values of its constants.

    Raises:
        MalformedRecordError: The operators lack a constant, or have another number of columns.
    """
    values = [_read_doubles(each) for each in nodes[:6]]
    if [len(each) for each in values] != [columns, columns, columns, 1, 1, 1]:
        raise MalformedRecordError(f"it has no linear model of {columns} columns")
    centres, weights, missing, intercept, deviation, centre = values
    return LinearGraph(
        centres=centres,
        weights=weights,
        missing=missing,
        intercept=float(intercept[0]),
        target_deviation=float(deviation[0]),
        target_centre=float(centre[0]),
    )


def _doubles(name: str, values: Doubles) -> Message:
    return constant(tensor("value", values), name)


def _read_doubles(node: memoryview) -> Doubles:
    attributes = attributes_of(node)
    if "value" not in attributes:
        raise MalformedRecordError("a constant has no value")
    return read_doubles(attributes["value"])
