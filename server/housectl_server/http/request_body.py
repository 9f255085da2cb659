"""Request bodies: reading them from ASGI messages, up to limits on their sizes."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive

MAX_BODY_BYTES = 1024 * 1024
MAX_INCOMPLETE_BYTES = 64 * MAX_BODY_BYTES


class BodyReader:
    """Reads bodies, and limits the memory for all that are incomplete at the same time."""

    def __init__(self) -> None:
        self._incomplete_bytes = 0

    async def read(self, receive: Receive) -> bytes:
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
                if len(earlier_chunks) + len(chunk) > MAX_BODY_BYTES:
                    raise too_large_error()
                if not message.get("more_body", False):
                    return bytes(earlier_chunks + chunk) if earlier_chunks else chunk
                if self._incomplete_bytes + len(chunk) > MAX_INCOMPLETE_BYTES:
                    raise _too_many_error()
                earlier_chunks += chunk
                self._incomplete_bytes += len(chunk)
        finally:
            self._incomplete_bytes -= len(earlier_chunks)


def too_large_error() -> HTTPException:
    """Return the error of a body over the limit."""
    return HTTPException(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body is larger than {MAX_BODY_BYTES} bytes; send one row per request.",
    )


def _too_many_error() -> HTTPException:
    return HTTPException(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Too many large bodies arrive at the same time; repeat the request later.",
        headers={"Retry-After": "10"},
    )
