"""Names in housectl's ONNX graphs, and the numbers of ONNX's fields and enumerations.

Reference: https://github.com/onnx/onnx/blob/v1.18.0/onnx/onnx.proto
"""

from enum import IntEnum

INPUT_NAME = "rows"
OUTPUT_NAME = "predictions"


class Model(IntEnum):
    """Fields of ModelProto."""

    IR_VERSION = 1
    PRODUCER = 2
    GRAPH = 7
    OPSET = 8


class Opset(IntEnum):
    """Fields of OperatorSetIdProto."""

    DOMAIN = 1
    VERSION = 2


class Graph(IntEnum):
    """Fields of GraphProto."""

    NODE = 1
    NAME = 2
    INPUT = 11
    OUTPUT = 12


class Value(IntEnum):
    """Fields of ValueInfoProto."""

    NAME = 1
    TYPE = 2


class Type(IntEnum):
    """Fields of TypeProto."""

    TENSOR = 1


class TensorType(IntEnum):
    """Fields of TypeProto.Tensor."""

    ELEMENT = 1
    SHAPE = 2


class Shape(IntEnum):
    """Fields of TensorShapeProto."""

    DIMENSION = 1


class Dimension(IntEnum):
    """Fields of TensorShapeProto.Dimension."""

    VALUE = 1


class Node(IntEnum):
    """Fields of NodeProto."""

    INPUT = 1
    OUTPUT = 2
    OPERATOR = 4
    ATTRIBUTE = 5
    DOMAIN = 7


class Attribute(IntEnum):
    """Fields of AttributeProto."""

    NAME = 1
    INTEGER = 3
    TENSOR = 5
    INTEGERS = 8
    KIND = 20


class Tensor(IntEnum):
    """Fields of TensorProto."""

    DIMENSION = 1
    ELEMENT = 2
    DATA = 9


class Kind(IntEnum):
    """Kinds of attributes: values of AttributeProto.AttributeType."""

    INTEGER = 2
    TENSOR = 4
    INTEGERS = 7


class Element(IntEnum):
    """Types of numbers: values of TensorProto.DataType."""

    FLOAT = 1
    UINT8 = 2
    INT64 = 7
    DOUBLE = 11
