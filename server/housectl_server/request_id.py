"""Request ids: every answer carries one, and so do problems and log lines about the request."""

import re
from collections.abc import Awaitable
from itertools import count
from secrets import token_hex

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-request-id"

_SCOPE_KEY = "housectl.request_id"
# Asking the system for random bytes at each request would take longer than some predictions.
_ID_PREFIX = token_hex(6).encode()
_NUMBERS = count(1)
_VALID_ID = re.compile(rb"[\w.:/+=-]{1,128}", re.ASCII)


class RequestIdMiddleware:
    """Gives each request an id, and adds it to the headers of the answer.

    Args:
        app: ASGI application that answers the requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request_id = _client_id(scope) or b"%b-%x" % (_ID_PREFIX, next(_NUMBERS))
        scope[_SCOPE_KEY] = request_id

        # Not a coroutine function: one more coroutine per message would cost more than its body.
        def send_with_id(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"].append((HEADER, request_id))
            return send(message)

        await self._app(scope, receive, send_with_id)


def request_id_of(scope: Scope) -> str:
    """Return the id that the middleware has given to a request."""
    request_id: bytes = scope[_SCOPE_KEY]
    return request_id.decode()


def _client_id(scope: Scope) -> bytes | None:
    """Return the id that the client has sent, if it is valid."""
    for name, value in scope["headers"]:
        if name == HEADER and _VALID_ID.fullmatch(value):
            client_id: bytes = value
            return client_id
    return None
