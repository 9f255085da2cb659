"""The id of a request, which its answer and the log carry."""

import re
from itertools import count
from secrets import token_hex

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-request-id"

_KEY = "housectl.request_id"
# Asking the system for random bytes at each request would take longer than some predictions.
_ID_PREFIX = token_hex(6)
_NUMBERS = count(1)
_VALID_ID = re.compile(rb"[\w.:/+=-]{1,128}", re.ASCII)


def request_id_of(scope: Scope) -> str:
    """Return the id of a request: the client's own when sane, else one that it gets now."""
    request_id: str | None = scope.get(_KEY)
    if request_id is None:
        request_id = scope[_KEY] = _sent_by_client(scope) or f"{_ID_PREFIX}-{next(_NUMBERS):x}"
    return request_id


def request_id_header(scope: Scope) -> tuple[bytes, bytes]:
    """Return the header that tells a request's id."""
    return HEADER, request_id_of(scope).encode()


def add_request_id(app: ASGIApp) -> ASGIApp:
    """Return an application whose every answer has the header."""

    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        header = request_id_header(scope)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append(header)
            await send(message)

        await app(scope, receive, send_with_id)

    return tell


def _sent_by_client(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == HEADER and _VALID_ID.fullmatch(value):
            return str(value, "ascii")
    return None
