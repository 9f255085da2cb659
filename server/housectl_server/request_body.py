"""Reading the body of a request, up to a limit."""

from http import HTTPStatus

from fastapi import HTTPException, Request
from starlette.types import Message, Receive

MAX_BODY_BYTES = 1024 * 1024


def complete_body(message: Message) -> bytes | None:
    """Return the body of a request if its first message has all of it, within the limit."""
    body: bytes = message.get("body", b"")
    return None if message.get("more_body") or len(body) > MAX_BODY_BYTES else body


async def read_body(request: Request) -> bytes:
    """Return the body of a request, of which never more than a chunk over the limit is held.

    Raises:
        HTTPException: It is larger than 1 MiB; status 413.
        ClientDisconnect: The client left before the end.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The body is larger than {MAX_BODY_BYTES} bytes; send one row at a time.",
            )
    return bytes(body)


def replay(message: Message, receive: Receive) -> Receive:
    """Return a `receive` that begins with a message which was received already."""
    pending = [message]

    async def receive_from_it_on() -> Message:
        return pending.pop() if pending else await receive()

    return receive_from_it_on
