"""The short way of a prediction, around all that serves the other paths."""

import json

from starlette.types import ASGIApp, Receive, Scope, Send

from housectl_server.batching import Batcher
from housectl_server.inference import ServedModel
from housectl_server.request_body import complete_body, replay
from housectl_server.request_id import request_id_header
from housectl_server.rows import InvalidRowError, UnreadableRowError

PREDICT_PATH = "/predict"

_JSON = (b"content-type", b"application/json")


class PredictFastPath:
    """Answers good requests for predictions itself, and hands every other one on.

    The layers of an application, which route a request and turn errors into answers, take longer
    than a prediction. A request that cannot be answered here begins anew in the application, which
    says what is wrong with it.

    Args:
        app: Answers everything, predictions too.
        model: What predicts.
    """

    def __init__(self, app: ASGIApp, model: ServedModel) -> None:
        self._app = app
        self._read = model.rows.read
        self._batcher = Batcher(model.predict)
        self._key = json.dumps(model.bundle.record.schema.target.response_key).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"] != PREDICT_PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        message = await receive()
        value = await self._value(complete_body(message))
        if value is None:
            await self._app(scope, replay(message, receive), send)
            return
        content = b"{%b:%r}" % (self._key, value)
        headers = [_JSON, (b"content-length", b"%d" % len(content)), request_id_header(scope)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _value(self, body: bytes | None) -> float | None:
        if body is None:
            return None
        try:
            row = self._read(body)
        except (UnreadableRowError, InvalidRowError):
            return None
        return await self._batcher.predict(row)
