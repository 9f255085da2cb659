"""Headers of every answer: the id of its request, and the model that answered; its duration."""

import os
import re
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from secrets import token_hex
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from housectl_server.http.handlers import handler_of

Header = tuple[bytes, bytes]
# Records method, handler, status and duration in seconds of a request.
RequestRecorder = Callable[[tuple[str, str, int, float]], None]
# Gets a request, the status of its answer, and its duration in seconds.
RequestObserver = Callable[[Scope, int, float], None]

REQUEST_ID = b"x-request-id"
MODEL_VERSION = b"x-model-version"
# Key of a scope whose value is the list of headers that the answer gets.
ANSWER_HEADERS = "housectl.answer_headers"
# Key of a scope whose value is a further recorder of the request.
EXTRA_RECORDER = "housectl.extra_recorder"
# Key of a scope whose value is the name of the client's API key.
API_KEY_NAME = "housectl.api_key"

_ID_KEY = "housectl.request_id"
VALID_ID = re.compile(rb"[\w.:/+=-]{1,128}", re.ASCII)


class _RequestIds:
    """Ids that are unique over all processes.

    Asking the system for random bytes at each request would take longer than some predictions.
    """

    def __init__(self) -> None:
        self.prefix = token_hex(6).encode()
        self.numbers = count(1)


_IDS = _RequestIds()
os.register_at_fork(after_in_child=_IDS.__init__)  # type: ignore[misc]


class AnswerHeadersMiddleware:
    """Gives each request an id, and adds the id and the model to the headers of the answer.

    Args:
        app: ASGI application that answers the requests; it names its model for each request.
        record: Records answered requests, for metrics.
        observers: Called with each answered request, for logs and traces.
    """

    def __init__(
        self, app: ASGIApp, *, record: RequestRecorder, observers: Sequence[RequestObserver] = ()
    ) -> None:
        self._app = app
        self._record = record
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        started = perf_counter()
        # If the application fails before its answer, uvicorn sends this status.
        status = 500
        request_id = _client_id(scope) or new_request_id()
        headers = [(REQUEST_ID, request_id)]
        scope[_ID_KEY] = request_id
        scope[ANSWER_HEADERS] = headers

        # Not a coroutine function: one more coroutine per message would cost more than its body.
        def send_with_headers(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] += headers
            return send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            duration = perf_counter() - started
            request = (scope["method"], handler_of(scope), status, duration)
            self._record(request)
            if record_too := scope.get(EXTRA_RECORDER):
                record_too(request)
            for observe in self._observers:
                observe(scope, status, duration)


def model_headers(digest: str, version: str) -> tuple[Header, ...]:
    """Return the headers that name the model of an answer."""
    return ((b"x-model-digest", digest.encode()), (MODEL_VERSION, version.encode()))


def request_id_of(scope: Scope) -> str:
    """Return the id that the middleware has given to a request."""
    request_id: bytes = scope[_ID_KEY]
    return request_id.decode()


def model_version_of(scope: Scope) -> str | None:
    """Return the version of the model that answered a request; None without a champion."""
    headers: list[Header] = scope[ANSWER_HEADERS]
    return next((value.decode() for name, value in headers if name == MODEL_VERSION), None)


def new_request_id() -> bytes:
    """Return the id of a request without a valid id from the client."""
    return b"%b-%x" % (_IDS.prefix, next(_IDS.numbers))


def _client_id(scope: Scope) -> bytes | None:
    """Return the id that the client has sent, if it is valid."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and VALID_ID.fullmatch(value):
            client_id: bytes = value
            return client_id
    return None
