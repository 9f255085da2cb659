"""POST /predict: the one implementation of a prediction over HTTP."""

import json

from starlette.types import Receive, Scope, Send

from housectl_server.http.content_coding import decode_body
from housectl_server.http.problems import CLIENT_ERRORS, problem_response
from housectl_server.http.request_body import BodyReader
from housectl_server.model.batching import Batcher
from housectl_server.model.rows import UnreadableRowError
from housectl_server.model.served_model import ServedModel

PREDICT_PATH = "/predict"

_JSON = (b"content-type", b"application/json")


class PredictEndpoint:
    """ASGI endpoint that answers a row with its prediction, and an error with a problem.

    Args:
        model: Model that predicts.
    """

    def __init__(self, model: ServedModel) -> None:
        self._read_body = BodyReader().read
        self._parse = model.rows.parse
        self._predict_rows = model.predict
        self._batcher = Batcher(model.predict)
        self._response_key = json.dumps(model.bundle.record.schema.target.response_key).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            prediction = await self._predict(scope, receive)
        except CLIENT_ERRORS as error:
            await problem_response(scope, error)(scope, receive, send)
        except Exception as error:
            await problem_response(scope, error)(scope, receive, send)
            raise  # uvicorn logs the traceback
        else:
            content = b"{%b:%r}" % (self._response_key, prediction)
            headers = [_JSON, (b"content-length", b"%d" % len(content))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": content})

    async def _predict(self, scope: Scope, receive: Receive) -> float:
        body = await self._read_body(receive)
        try:
            row = self._parse(body)
        except UnreadableRowError as error:
            row = self._parse(_decoded(scope, body, error))
        prediction = await self._batcher.predict(row)
        if prediction is None:
            # Some row of the batch made the model fail: alone, only that row fails.
            return self._predict_rows([row])[0]
        return prediction


def _decoded(scope: Scope, body: bytes, error: UnreadableRowError) -> bytes:
    """Return the text of a body that is no row as it is; raise the error if it has no coding."""
    text = decode_body(scope, body)
    if text == body:
        raise error
    return text
