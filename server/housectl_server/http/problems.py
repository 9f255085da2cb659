"""Problem details (RFC 9457): the body of every error answer."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Scope

from housectl_server.http.answer_headers import request_id_of
from housectl_server.model.rows import InvalidRowError, UnreadableRowError, Violation

MEDIA_TYPE = "application/problem+json"
CLIENT_ERRORS = (InvalidRowError, UnreadableRowError, HTTPException, ClientDisconnect)

_log = logging.getLogger(__name__)


class Problem(BaseModel):
    """Error answer to one request.

    Attributes:
        type: Always `about:blank`: the status identifies the kind of problem.
        title: The status in words.
        detail: Cause of the problem, and the hint.
        request_id: Id of the request, also in the header and in the server's log.
        errors: One for each invalid field, with `field`, `problem` and `expected`.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[dict[str, str]] | None = None


def problem_response(scope: Scope, error: Exception) -> Response:
    """Return the problem that reports an error to the client."""
    request_id = request_id_of(scope)
    match error:
        case InvalidRowError():
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return _response(request_id, status, str(error), violations=error.violations)
        case UnreadableRowError():
            return _response(request_id, HTTPStatus.BAD_REQUEST, str(error))
        case ClientDisconnect():
            return _response(request_id, HTTPStatus.BAD_REQUEST, "The request body is incomplete.")
        case HTTPException():
            return _response(request_id, error.status_code, error.detail, headers=error.headers)
    return _internal_error(scope, request_id, error)


def problem_without_request(request_id: str, status: HTTPStatus, detail: str) -> Response:
    """Return the problem of a request that is incomplete, after which the connection is closed."""
    return _response(request_id, status, detail, headers={"connection": "close"})


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer a request with the problem that reports an error."""
    return problem_response(request.scope, error)


def openapi_responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, object]]:
    """Return the OpenAPI description of the problems that a path can answer with."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {
        int(status): {"description": status.description or status.phrase, "content": content}
        for status in statuses
    }


def _internal_error(scope: Scope, request_id: str, error: Exception) -> Response:
    _log.error(
        "request %s: %s %s failed with %s; the traceback follows",
        request_id,
        scope["method"],
        scope["path"],
        type(error).__name__,
    )
    # The error is raised again after this answer, and uvicorn closes the connection then.
    return _response(
        request_id,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Internal server error; see the server log for this request ID.",
        headers={"connection": "close"},
    )


def _response(
    request_id: str,
    status: int,
    detail: str,
    *,
    violations: Sequence[Violation] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=request_id,
        errors=[asdict(violation) for violation in violations] or None,
    )
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=status,
        headers={**(headers or {}), "X-Content-Type-Options": "nosniff"},
        media_type=MEDIA_TYPE,
    )
