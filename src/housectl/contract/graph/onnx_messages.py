"""Messages of ONNX graphs: operators, attributes, tensors, inputs and outputs, as bytes."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from housectl.contract.graph.arrays import Booleans, Doubles, Integers
from housectl.contract.graph.onnx_fields import (
    Attribute,
    Dimension,
    Element,
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
from housectl.contract.graph.protobuf import bytes_field, find_bytes, integer_field, integer_fields
from housectl.contract.record import MalformedRecordError

Message = list[bytes]
"""Parts of a message."""

Bytes = NDArray[np.uint8]

_KIND_LENGTH = 3
# Little-endian, as the format of tensors is; the names include the byte order.
_ELEMENTS = {"|u1": Element.UINT8, "<i8": Element.INT64, "<f8": Element.DOUBLE}


def node(
    operator: str, inputs: Sequence[str], output: str, *attributes: Message, domain: str = ""
) -> Message:
    """Return an operator with one output."""
    return [
        *chain.from_iterable(bytes_field(Node.INPUT, name.encode()) for name in inputs),
        *bytes_field(Node.OUTPUT, output.encode()),
        *bytes_field(Node.OPERATOR, operator.encode()),
        *chain.from_iterable(bytes_field(Node.ATTRIBUTE, *each) for each in attributes),
        *(bytes_field(Node.DOMAIN, domain.encode()) if domain else ()),
    ]


def constant(value: Message, output: str) -> Message:
    """Return the operator whose output is a tensor; the attribute `value` has it."""
    return node("Constant", [], output, value)


def integer(name: str, value: int) -> Message:
    """Return an attribute with a non-negative integer."""
    return _attribute(name, Kind.INTEGER, integer_field(Attribute.INTEGER, value))


def integers(name: str, values: Integers | Booleans) -> Message:
    """Return an attribute with a list of non-negative integers."""
    return _attribute(name, Kind.INTEGERS, integer_fields(Attribute.INTEGERS, values))


def tensor(name: str, values: Doubles | Integers | Bytes) -> Message:
    """Return an attribute with an array of any number of dimensions."""
    parts = [
        *(integer_field(Tensor.DIMENSION, size) for size in values.shape),
        integer_field(Tensor.ELEMENT, _ELEMENTS[values.dtype.str]),
        *bytes_field(Tensor.DATA, values.tobytes()),
    ]
    return _attribute(name, Kind.TENSOR, *bytes_field(Attribute.TENSOR, *parts))


def matrix(name: str, columns: int) -> Message:
    """Return the description of an array of doubles with any number of rows."""
    shape = [
        *bytes_field(Shape.DIMENSION),
        *bytes_field(Shape.DIMENSION, integer_field(Dimension.VALUE, columns)),
    ]
    content = [
        integer_field(TensorType.ELEMENT, Element.DOUBLE),
        *bytes_field(TensorType.SHAPE, *shape),
    ]
    return [
        *bytes_field(Value.NAME, name.encode()),
        *bytes_field(Value.TYPE, *bytes_field(Type.TENSOR, *content)),
    ]


def opset(domain: str, version: int) -> Message:
    """Return the field that states a version of a domain's operators."""
    return bytes_field(
        Model.OPSET,
        *bytes_field(Opset.DOMAIN, domain.encode()),
        integer_field(Opset.VERSION, version),
    )


def operator_of(message: memoryview) -> str:
    """Return the name of an operator."""
    return bytes(last_field(message, Node.OPERATOR)).decode(errors="replace")


def attributes_of(message: memoryview) -> dict[str, memoryview]:
    """Return the contents of an operator's attributes by name."""
    return dict(map(_name_and_content, find_bytes(message, Node.ATTRIBUTE)))


def read_doubles(content: memoryview) -> Doubles:
    """Return the values of a tensor of doubles, `(n,)`, from the content of its attribute."""
    data = last_field(last_field(content, Attribute.TENSOR), Tensor.DATA)
    return np.frombuffer(data[: len(data) // 8 * 8], dtype=np.float64)


def last_field(message: memoryview, number: int) -> memoryview:
    """Return the content of a message's last field with a number.

    Raises:
        MalformedRecordError: The message has no such field.
    """
    contents = find_bytes(message, number)
    if not contents:
        raise MalformedRecordError(f"a message has no field {number}")
    return contents[-1]


def _attribute(name: str, kind: Kind, *content: bytes) -> Message:
    return [
        *bytes_field(Attribute.NAME, name.encode()),
        *content,
        integer_field(Attribute.KIND, kind),
    ]


def _name_and_content(attribute: memoryview) -> tuple[str, memoryview]:
    """Return an attribute's name, and its bytes between its name and its kind."""
    start = 2 + int.from_bytes(attribute[1:2])
    name = bytes(attribute[2:start]).decode(errors="replace")
    return name, attribute[start:-_KIND_LENGTH]
