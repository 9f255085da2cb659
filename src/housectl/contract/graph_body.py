"""The body of a graph: the operators that predict from the expanded columns.

A new kind of body has a module with its arrays, such as `tree_graph`, a module with its operators,
such as `tree_operators`, and one case in each function below.
"""

from collections.abc import Sequence

from housectl.contract.onnx_messages import Message, operator_of
from housectl.contract.record import MalformedRecordError
from housectl.contract.tree_graph import TreeGraph, check_trees
from housectl.contract.tree_operators import TREE_OPERATOR, read_trees, tree_nodes

GraphBody = TreeGraph


def body_nodes(body: GraphBody, source: str, output: str) -> list[Message]:
    """Return the operators of a body, from the expanded columns to one number per row."""
    return tree_nodes(body, source, output)


def read_body(nodes: Sequence[memoryview], *, columns: int) -> GraphBody:
    """Return the body that `body_nodes` returned; of other operators, any body is returned.

    Args:
        nodes: The operators.
        columns: Number of the expanded columns.

    Raises:
        MalformedRecordError: The operators have no body.
    """
    if not nodes or operator_of(nodes[-1]) != TREE_OPERATOR:
        raise MalformedRecordError("it has neither trees nor another known model")
    return read_trees(nodes[-1], columns=columns)


def check_body(body: GraphBody) -> None:
    """Check that every row gets a finite prediction.

    Raises:
        MalformedRecordError: The arrays are invalid.
    """
    check_trees(body)
