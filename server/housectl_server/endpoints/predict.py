"""POST /predict: the prediction for a row, or the predictions for an array of rows."""

import json

from starlette.types import Receive, Scope

from housectl_server.endpoints.asgi_endpoint import JSON_HEADERS, AsgiEndpoint, Content
from housectl_server.endpoints.logged_predictions import predict_and_log
from housectl_server.endpoints.prediction_thread import PredictionThread
from housectl_server.http.answer_headers import request_id_of
from housectl_server.http.content_coding import decode_body
from housectl_server.http.request_body import BodyReader, is_array, row_or_array_limit
from housectl_server.model.batching import Batcher
from housectl_server.model.row_errors import UnreadableRowError
from housectl_server.model.served_model import ServedModel

PREDICT_PATH = "/predict"


class PredictEndpoint(AsgiEndpoint):
    """ASGI endpoint that answers rows with their predictions, and an error with a problem.

    Args:
        model: Model that predicts.
        bodies: Reads the bodies of requests.
        thread: Predicts arrays.
    """

    def __init__(self, model: ServedModel, bodies: BodyReader, thread: PredictionThread) -> None:
        self._read_body = bodies.read
        self._parse = model.rows.parse
        self._parse_array = model.rows.parse_array
        self._batcher = Batcher(model.predict)
        self._thread = thread
        self._log = model.log
        self._model = model
        self._response_key = json.dumps(model.bundle.record.schema.target.response_key).encode()

    async def _answer(self, scope: Scope, receive: Receive) -> Content:
        body = await self._read_body(receive, row_or_array_limit)
        if is_array(body):
            return await self._answer_array(scope, body)
        try:
            row = self._parse(body)
        except UnreadableRowError as error:
            text = _decoded(scope, body, error)
            if is_array(text):
                return await self._answer_array(scope, text)
            row = self._parse(text)
        prediction = await self._batcher.predict(row)
        if prediction is None:
            # Some row of the batch made the model fail: alone, only that row fails.
            prediction = self._model.predict([row])[0]
        if self._log is not None:
            self._log(request_id_of(scope), [row], [prediction])
        return self._object(prediction), JSON_HEADERS

    async def _answer_array(self, scope: Scope, body: bytes) -> Content:
        def answer() -> Content:
            predictions = predict_and_log(self._model, self._parse_array(body), scope)
            return b"[%b]" % b",".join(map(self._object, predictions)), JSON_HEADERS

        return await self._thread.run(answer, size=len(body))

    def _object(self, prediction: float) -> bytes:
        return b"{%b:%r}" % (self._response_key, prediction)


def _decoded(scope: Scope, body: bytes, error: UnreadableRowError) -> bytes:
    """Return the text of a body that is no row as it is; raise the error if it has no coding."""
    text = decode_body(scope, body, row_or_array_limit)
    if text == body:
        raise error
    return text
