"""Methods that every path supports: HEAD where GET is allowed, and OPTIONS."""

from collections.abc import Awaitable, Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from housectl_server.http.problems import problem_response


class HeadAsGet:
    """ASGI application that answers HEAD as GET; uvicorn leaves out the body.

    Args:
        app: Answers the requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        if scope["method"] == "HEAD":
            return self._answer_head(scope, receive, send)
        return self._app(scope, receive, send)

    async def _answer_head(self, scope: Scope, receive: Receive, send: Send) -> None:
        get = {**scope, "method": "GET"}
        try:
            await self._app(get, receive, send)
        finally:
            scope.update({key: get[key] for key in ("route", "endpoint") if key in get})


async def answer_other_method(request: Request, error: HTTPException) -> Response:
    """Answer OPTIONS with the methods of the path, and any other method with a problem."""
    headers = {"Allow": _allowed_methods(error.headers or {})}
    if request.method == "OPTIONS":
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    refusal = HTTPException(error.status_code, error.detail, headers)
    return problem_response(request.scope, refusal)


def _allowed_methods(headers: Mapping[str, str]) -> str:
    """Return the methods of a path: those of its route, and those that every path supports."""
    methods = {*headers.get("Allow", "").split(", "), "OPTIONS"}
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods))
