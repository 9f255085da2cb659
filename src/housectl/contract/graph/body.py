"""The body of a graph: the operators that predict from the expanded columns.

A new kind of body has a module with its arrays, such as `tree_graph`, a module with its operators,
such as `tree_operators`, and one case in each function below.
"""

from collections.abc import Sequence

from housectl.contract.graph.linear_graph import LinearGraph, check_linear
from housectl.contract.graph.linear_operators import LINEAR_OPERATOR, linear_nodes, read_linear
from housectl.contract.graph.onnx_messages import Message, operator_of
from housectl.contract.graph.tree_graph import TreeGraph, check_trees
from housectl.contract.graph.tree_operators import TREE_OPERATOR, read_trees, tree_nodes
from housectl.contract.record import MalformedRecordError

GraphBody = TreeGraph | LinearGraph


def body_nodes(body: GraphBody, source: str, output: str) -> list[Message]:
    """Return the operators of a body, from the expanded columns to one number per row."""
    match body:
        case TreeGraph():
            return tree_nodes(body, source, output)
        case LinearGraph():
            return linear_nodes(body, source, output)


def read_body(nodes: Sequence[memoryview], *, columns: int) -> GraphBody:
    """Return the body that `body_nodes` returned; of other operators, any body is returned.

    Args:
        nodes: The operators.
        columns: Number of the expanded columns.

    Raises:
        MalformedRecordError: The operators have no body.
    """
    last = operator_of(nodes[-1]) if nodes else None
    if last == TREE_OPERATOR:
        return read_trees(nodes[-1], columns=columns)
    if last == LINEAR_OPERATOR:
        return read_linear(nodes, columns=columns)
    raise MalformedRecordError("it has neither trees nor a linear model")


def check_body(body: GraphBody) -> None:
    """Check that every row gets a finite prediction.

    Raises:
        MalformedRecordError: The arrays are invalid.
    """
    match body:
        case TreeGraph():
            check_trees(body)
        case LinearGraph():
            check_linear(body)
