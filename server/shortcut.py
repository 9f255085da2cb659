"""The short way of a prediction, around all that serves the other paths."""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.body import LARGEST_BODY
from server.inference import Model
from server.rows import InvalidRowError, UnreadableRowError

PREDICT_PATH = "/predict"


class Shortcut:
    """Answers good requests for predictions itself, and hands every other one on.

    The layers of an application, which route a request and turn errors into answers, take longer
    than a prediction. A request that cannot be answered here begins anew in the application, which
    says what is wrong with it.

    Args:
        app: Answers everything, predictions too.
        model: What predicts.
    """

    def __init__(self, app: ASGIApp, model: Model) -> None:
        self._app = app
        self._model = model
        self._key = json.dumps(model.bundle.record.schema.target.response_key).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"] != PREDICT_PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body = _Body(receive)
        value = self._value(await body.read())
        if value is None:
            await self._app(scope, body.again, send)
        else:
            await _send(send, b"{%b:%r}" % (self._key, value))

    def _value(self, body: bytes) -> float | None:
        if len(body) > LARGEST_BODY:
            return None
        try:
            return self._model.answer(body)
        except (UnreadableRowError, InvalidRowError):
            return None


class _Body:
    """The body of a request, which can be received once more after it was read."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []

    async def read(self) -> bytes:
        """Return the body, or as much of it as shows that it is too large or was given up."""
        chunks, size, more = [], 0, True
        while more and size <= LARGEST_BODY:
            message = await self._receive()
            self._messages.append(message)
            chunk: bytes = message.get("body", b"")
            chunks.append(chunk)
            size += len(chunk)
            more = message.get("more_body", False)
        return b"".join(chunks)

    async def again(self) -> Message:
        """Receive what was read, then what comes after it."""
        return self._messages.pop(0) if self._messages else await self._receive()


async def _send(send: Send, content: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
