"""Request bodies: reading one from ASGI messages, up to a size limit."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive

MAX_BODY_BYTES = 1024 * 1024


async def read_body(receive: Receive) -> bytes:
    """Return the body of a request; at most one chunk over the limit is held in memory.

    Raises:
        HTTPException: The body is larger than the limit; status 413.
        ClientDisconnect: The client closed the connection before the end of the body.
    """
    earlier_chunks = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        if len(earlier_chunks) + len(chunk) > MAX_BODY_BYTES:
            raise too_large_error()
        if not message.get("more_body", False):
            return bytes(earlier_chunks + chunk) if earlier_chunks else chunk
        earlier_chunks += chunk


def too_large_error() -> HTTPException:
    """Return the error of a body over the limit."""
    return HTTPException(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body is larger than {MAX_BODY_BYTES} bytes; send one row per request.",
    )
