"""Problem details, the one form in which every refusal leaves (RFC 9457)."""

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from housectl_server.request_id import request_id_of
from housectl_server.rows import InvalidRowError, UnreadableRowError, Violation

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)


class Problem(BaseModel):
    """Why a request was refused.

    Attributes:
        type: Always `about:blank`: the status says which kind of problem it is.
        title: The status in words.
        detail: What happened, and the hint.
        errors: One for each field that is wrong, with `field`, `problem` and `expected`.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[dict[str, str]] | None = None


def problem_response(
    request: Request,
    status: int,
    detail: str,
    *,
    violations: Sequence[Violation] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a refusal as problem details."""
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=request_id_of(request.scope),
        errors=[asdict(violation) for violation in violations] or None,
    )
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def openapi_responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, object]]:
    """Return what OpenAPI says of the problems that a path can answer with."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {
        int(status): {"description": status.description or status.phrase, "content": content}
        for status in statuses
    }


async def _invalid_row(request: Request, error: InvalidRowError) -> Response:
    return problem_response(
        request, HTTPStatus.UNPROCESSABLE_ENTITY, str(error), violations=error.violations
    )


async def _unreadable_row(request: Request, error: UnreadableRowError) -> Response:
    return problem_response(request, HTTPStatus.BAD_REQUEST, str(error))


async def _refused(request: Request, error: HTTPException) -> Response:
    return problem_response(request, error.status_code, error.detail, headers=error.headers)


async def _client_disconnected(request: Request, _: ClientDisconnect) -> Response:
    return problem_response(request, HTTPStatus.BAD_REQUEST, "The body ended before it was whole.")


async def _internal_error(request: Request, error: Exception) -> Response:
    # Starlette raises the error again; uvicorn then logs its traceback right after this line, and
    # closes the connection, which a client that keeps it must be told of.
    _log.error(
        "request %s: %s %s failed with %s, whose traceback follows",
        request_id_of(request.scope),
        request.method,
        request.url.path,
        type(error).__name__,
    )
    return problem_response(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The server failed in a way that nobody planned for; its log tells more under this id.",
        headers={"connection": "close"},
    )


EXCEPTION_HANDLERS: dict[
    int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]
] = {
    InvalidRowError: _invalid_row,
    UnreadableRowError: _unreadable_row,
    HTTPException: _refused,
    ClientDisconnect: _client_disconnected,
    Exception: _internal_error,
}
