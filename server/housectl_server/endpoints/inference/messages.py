"""Messages of the Open Inference Protocol."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, FailFast, Field

Name = Annotated[str, Field(max_length=1000)]
Shape = Annotated[list[Annotated[int, Field(strict=True, ge=0, le=2**40)]], Field(max_length=8)]
Parameters = dict[str, Any]

_MAX_TENSORS = 10_000
_MAX_OUTPUTS = 16


class Message(BaseModel):
    """Message whose fields may begin with `model_`; unknown fields are ignored."""

    model_config = ConfigDict(protected_namespaces=())


class InputTensor(Message):
    """Values of one feature, or of all.

    Attributes:
        name: Name of the feature; any name for a tensor of all features.
        shape: `[n]` or `[n, 1]` for one feature, and `[n, features]` for all.
        datatype: `FP64`, `FP32`, `FP16`, `INT64` to `INT8`, `UINT64` to `UINT8`, `BOOL` or `BYTES`.
        parameters: `binary_data_size`, in bytes, if the values follow the JSON; others are ignored.
        data: Values in row-major order, flat or nested; null and NaN are missing values.
    """

    name: Name
    shape: Shape
    datatype: Name
    parameters: Parameters | None = None
    data: list[Any] | None = None


class RequestedOutput(Message):
    """Output that the client asks for.

    Attributes:
        name: Name of the output; see the metadata of the model.
        parameters: `binary_data`, true if the values shall follow the JSON; others are ignored.
    """

    name: Name
    parameters: Parameters | None = None


class InferRequest(Message):
    """Request for predictions.

    Attributes:
        inputs: One tensor of all features, or one per feature.
        id: Id of the request, which the answer repeats.
        parameters: `binary_data_output`, true if the outputs shall follow the JSON; others are
            ignored.
        outputs: Outputs that the client asks for; by default all.
    """

    inputs: Annotated[list[InputTensor], FailFast(), Field(max_length=_MAX_TENSORS)]
    id: Name | None = None
    parameters: Parameters | None = None
    outputs: Annotated[list[RequestedOutput], Field(max_length=_MAX_OUTPUTS)] | None = None


class OutputTensor(Message):
    """Predictions.

    Attributes:
        shape: `[n, 1]`.
        data: The predictions; null if they follow the JSON.
    """

    name: str
    shape: tuple[int, int]
    datatype: str
    parameters: Parameters
    data: list[float] | None = None


class InferResponse(Message):
    """Predictions for the rows of a request."""

    model_name: str
    model_version: str
    id: str
    parameters: Parameters = {}
    outputs: list[OutputTensor]


class TensorMetadata(Message):
    """Description of a tensor; the size -1 is that of any number of rows."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class ModelMetadata(Message):
    """Description of a model."""

    name: str
    versions: tuple[str, ...]
    platform: str
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]
    parameters: Parameters = {}


class ServerMetadata(Message):
    """Description of the server."""

    name: str
    version: str
    extensions: tuple[str, ...]


class Live(Message):
    """Answer of a process that answers."""

    live: bool


class Ready(Message):
    """Answer of a server or a model that can predict."""

    ready: bool


class InferenceError(Message):
    """Error answer."""

    error: str
