"""Inference requests: predictions for the rows of their tensors."""

from collections.abc import Sequence

import numpy as np
from pydantic import ValidationError
from starlette.types import Scope

from housectl_server.endpoints.asgi_endpoint import JSON_HEADERS, Content
from housectl_server.endpoints.inference.binary_data import (
    LENGTH_HEADER,
    SIZE_PARAMETER,
    split_body,
)
from housectl_server.endpoints.inference.messages import (
    InferRequest,
    InferResponse,
    OutputTensor,
)
from housectl_server.endpoints.inference.tensors import tensor_columns
from housectl_server.endpoints.logged_predictions import predict_and_log
from housectl_server.http.answer_headers import request_id_of
from housectl_server.model.row_errors import MAX_NAME_LENGTH, InvalidRowError, UnreadableRowError
from housectl_server.model.served_model import ServedModel
from housectl_server.model.tables import TableReader

MODEL_NAME = "champion"
OUTPUT_DATATYPE = "FP64"

_DOUBLE = np.dtype("<f8")
_BINARY_TYPE = (b"content-type", b"application/octet-stream")


class Inference:
    """Answers inference requests.

    Args:
        model: Model that predicts.
    """

    def __init__(self, model: ServedModel) -> None:
        self._tables = TableReader(model.bundle.record.schema, model.rows.errors)
        self._model = model
        self._version = model.bundle.version
        self._output = model.bundle.record.schema.target.response_key

    def answer(self, scope: Scope, body: bytes) -> Content:
        """Return the predictions for the rows of a body.

        Raises:
            UnreadableRowError: The body is not JSON.
            InvalidRowError: The request is invalid.
        """
        text, binary = split_body(body, dict(scope["headers"]).get(LENGTH_HEADER))
        self._tables.check_size(text)
        request = _parse(text)
        self._check_outputs(request)
        columns = tensor_columns(request.inputs, binary, self._tables.features)
        predictions = predict_and_log(self._model, self._tables.read(columns), scope)
        request_id = request_id_of(scope) if request.id is None else request.id
        if _wants_binary(request):
            return self._binary_content(predictions, request_id)
        response = self._response(len(predictions), request_id, data=predictions)
        return response.model_dump_json(exclude_none=True).encode(), JSON_HEADERS

    def _check_outputs(self, request: InferRequest) -> None:
        for output in request.outputs or ():
            if output.name != self._output:
                name = output.name[:MAX_NAME_LENGTH]
                raise InvalidRowError(f"The output {name} is unknown; there is {self._output}.")

    def _binary_content(self, predictions: Sequence[float], request_id: str) -> Content:
        data = np.array(predictions, dtype=_DOUBLE).tobytes()
        response = self._response(len(predictions), request_id)
        response.outputs[0].parameters[SIZE_PARAMETER] = len(data)
        text = response.model_dump_json(exclude_none=True).encode()
        return text + data, (_BINARY_TYPE, (LENGTH_HEADER, b"%d" % len(text)))

    def _response(
        self, count: int, request_id: str, *, data: list[float] | None = None
    ) -> InferResponse:
        output = OutputTensor(
            name=self._output,
            shape=(count, 1),
            datatype=OUTPUT_DATATYPE,
            parameters={"content_type": "np"},
            data=data,
        )
        return InferResponse(
            model_name=MODEL_NAME, model_version=self._version, id=request_id, outputs=[output]
        )


def _parse(text: bytes) -> InferRequest:
    try:
        return InferRequest.model_validate_json(text)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[0]
        if details["type"] == "json_invalid":
            raise UnreadableRowError(f"The body is not JSON: {details['ctx']['error']}.") from error
        place = ".".join(map(str, details["loc"]))[:MAX_NAME_LENGTH] or "The body"
        raise InvalidRowError(f"The request is invalid: {place}: {details['msg']}.") from error


def _wants_binary(request: InferRequest) -> bool:
    """Return True if the client asks for binary predictions."""
    wanted: object = (request.parameters or {}).get("binary_data_output", False)
    for output in request.outputs or ():
        wanted = (output.parameters or {}).get("binary_data", wanted)
    return wanted is True
