"""The id of a request, which its answer and the log carry."""

import re
from itertools import count
from secrets import token_hex

from starlette.types import Message, Scope, Send

HEADER = b"x-request-id"

_KEY = "housectl.request_id"
# Asking the system for random bytes at each request would take longer than some predictions.
_PROCESS = token_hex(6)
_NUMBERS = count(1)
_SANE = re.compile(rb"[\w.:/+=-]{1,128}", re.ASCII)


def with_request_id(scope: Scope, send: Send) -> Send:
    """Give a request its id, the client's own when sane; return a `send` that tells it."""
    request_id = _sent_by_client(scope) or f"{_PROCESS}-{next(_NUMBERS):x}".encode()
    scope[_KEY] = request_id.decode()

    async def send_with_id(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"].append((HEADER, request_id))
        await send(message)

    return send_with_id


def request_id_of(scope: Scope) -> str:
    """Return the id that `with_request_id` gave."""
    request_id: str = scope[_KEY]
    return request_id


def _sent_by_client(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == HEADER and _SANE.fullmatch(value):
            sane: bytes = value
            return sane
    return None
