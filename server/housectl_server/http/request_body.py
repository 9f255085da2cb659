"""Request bodies: reading them from ASGI messages, up to limits on their sizes."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive

MAX_BODY_BYTES = 1024 * 1024
MAX_BATCH_BYTES = 16 * MAX_BODY_BYTES
MAX_INCOMPLETE_BYTES = 64 * MAX_BODY_BYTES

_START_BYTES = 1024

SizeLimit = Callable[[bytes], int]
"""Returns the largest size in bytes of a body that starts with these bytes."""


def row_or_array_limit(start: bytes) -> int:
    """Return the limit of a body that is one row, or an array of rows."""
    return MAX_BATCH_BYTES if is_array(start) else MAX_BODY_BYTES


def batch_limit(_: bytes) -> int:
    """Return the limit of a body with several rows."""
    return MAX_BATCH_BYTES


def is_array(body: bytes) -> bool:
    """Return True if a JSON text is an array."""
    return body.lstrip()[:1] == b"["


class BodyReader:
    """Reads bodies, and limits the memory for all that are incomplete at the same time."""

    def __init__(self) -> None:
        self._incomplete_bytes = 0

    async def read(self, receive: Receive, limit: SizeLimit) -> bytes:
        """Return the body of a request; at most one chunk over the limit is held in memory.

        Raises:
            HTTPException: The body is larger than the limit (413), or all incomplete bodies
                together are (503).
            ClientDisconnect: The client closed the connection before the end of the body.
        """
        earlier_chunks = bytearray()
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk: bytes = message.get("body", b"")
                size = len(earlier_chunks) + len(chunk)
                if size > MAX_BODY_BYTES:
                    check_size(size, bytes(earlier_chunks[:_START_BYTES]) or chunk, limit)
                if not message.get("more_body", False):
                    return bytes(earlier_chunks + chunk) if earlier_chunks else chunk
                if self._incomplete_bytes + len(chunk) > MAX_INCOMPLETE_BYTES:
                    raise _too_many_error()
                earlier_chunks += chunk
                self._incomplete_bytes += len(chunk)
        finally:
            self._incomplete_bytes -= len(earlier_chunks)


def check_size(size: int, start: bytes, limit: SizeLimit) -> None:
    """Check the size of a body.

    Args:
        size: Size in bytes, so far.
        start: First bytes of the body.
        limit: Limit of its size.

    Raises:
        HTTPException: The body is larger than the limit (413).
    """
    max_bytes = limit(start)
    if size > max_bytes:
        raise HTTPException(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body is larger than {max_bytes} bytes; send fewer values per request.",
        )


def _too_many_error() -> HTTPException:
    return HTTPException(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Too many large bodies arrive at the same time; repeat the request later.",
        headers={"Retry-After": "10"},
    )
