"""Metadata of the server and the model."""

from importlib.metadata import version

from housectl.contract.bundle import Bundle
from housectl.contract.column_types import Boolean, ColumnType, Number
from housectl_server.endpoints.inference.infer import MODEL_NAME, OUTPUT_DATATYPE
from housectl_server.endpoints.inference.messages import (
    ModelMetadata,
    ServerMetadata,
    TensorMetadata,
)
from housectl_server.endpoints.inference.tensors import BOOL, BYTES

_ANY_ROWS = (-1, 1)


def server_metadata() -> ServerMetadata:
    """Return the description of the server."""
    return ServerMetadata(
        name="housectl", version=version("housectl"), extensions=("binary_tensor_data",)
    )


def model_metadata(bundle: Bundle) -> ModelMetadata:
    """Return the description of a model, with one input per feature."""
    schema = bundle.record.schema
    inputs = (
        TensorMetadata(name=each.name, datatype=_datatype(each.type), shape=_ANY_ROWS)
        for each in schema.features
    )
    output = TensorMetadata(
        name=schema.target.response_key, datatype=OUTPUT_DATATYPE, shape=_ANY_ROWS
    )
    return ModelMetadata(
        name=MODEL_NAME,
        versions=(bundle.version,),
        platform="onnxruntime_onnx",
        inputs=tuple(inputs),
        outputs=(output,),
    )


def _datatype(column: ColumnType) -> str:
    match column:
        case Number():
            return "FP64"
        case Boolean():
            return BOOL
        case _:
            return BYTES
