"""Headers of every answer: the id of its request, and the model that answered."""

import re
from collections.abc import Awaitable
from itertools import count
from secrets import token_hex

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]

REQUEST_ID = b"x-request-id"
# Key of a scope whose value is the list of headers that the answer gets.
ANSWER_HEADERS = "housectl.answer_headers"

_ID_KEY = "housectl.request_id"
# Asking the system for random bytes at each request would take longer than some predictions.
_ID_PREFIX = token_hex(6).encode()
_NUMBERS = count(1)
_VALID_ID = re.compile(rb"[\w.:/+=-]{1,128}", re.ASCII)


class AnswerHeadersMiddleware:
    """Gives each request an id, and adds the id and the model to the headers of the answer.

    Args:
        app: ASGI application that answers the requests; it names its model for each request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request_id = _client_id(scope) or new_request_id()
        headers = [(REQUEST_ID, request_id)]
        scope[_ID_KEY] = request_id
        scope[ANSWER_HEADERS] = headers

        # Not a coroutine function: one more coroutine per message would cost more than its body.
        def send_with_headers(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] += headers
            return send(message)

        await self._app(scope, receive, send_with_headers)


def request_id_of(scope: Scope) -> str:
    """Return the id that the middleware has given to a request."""
    request_id: bytes = scope[_ID_KEY]
    return request_id.decode()


def new_request_id() -> bytes:
    """Return the id of a request without a valid id from the client."""
    return b"%b-%x" % (_ID_PREFIX, next(_NUMBERS))


def _client_id(scope: Scope) -> bytes | None:
    """Return the id that the client has sent, if it is valid."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and _VALID_ID.fullmatch(value):
            client_id: bytes = value
            return client_id
    return None
