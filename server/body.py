"""Reading the body of a request, up to a limit."""

from http import HTTPStatus

from fastapi import HTTPException, Request

LARGEST_BODY = 1024 * 1024


async def read_body(request: Request) -> bytes:
    """Return the body of a request, of which never more than a chunk over the limit is held.

    Raises:
        HTTPException: It is larger than 1 MiB; status 413.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The body is larger than {LARGEST_BODY} bytes; send one row at a time.",
            )
    return bytes(body)
