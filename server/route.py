"""The short way to an endpoint, for the one path whose speed matters."""

from http import HTTPStatus

from fastapi import HTTPException, Request
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

LARGEST_BODY = 1024 * 1024


class DirectRoute(APIRoute):
    """A route that calls `async def endpoint(request) -> Response` itself.

    FastAPI's dependencies and its reading of the body, which it parses to build objects that are
    then validated, take longer than a prediction. This route is documented like any other.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        response = await self.endpoint(Request(scope, receive))
        await response(scope, receive, send)


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
