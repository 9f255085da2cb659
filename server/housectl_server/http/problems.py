"""Problem details (RFC 9457): the body of every error answer."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from housectl_server.http.answer_headers import request_id_of
from housectl_server.model.row_errors import InvalidRowError, UnreadableRowError, Violation

MEDIA_TYPE = "application/problem+json"
INFERENCE_PATH = "/v2"
"""Path of the Open Inference Protocol, which has errors of its own."""

CLIENT_ERRORS = (InvalidRowError, UnreadableRowError, HTTPException, ClientDisconnect)
PREDICTION_ERRORS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)

_log = logging.getLogger(__name__)


class Problem(BaseModel):
    """Error answer to one request.

    Attributes:
        type: Always `about:blank`: the status identifies the kind of problem.
        title: The status in words.
        detail: Cause of the problem, and the hint.
        request_id: Id of the request, also in the header and in the server's log.
        errors: One for each invalid field, with `field`, `problem` and `expected`, and `row`, the
            index from 0, if the request has several rows.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[dict[str, str | int]] | None = None


def problem_response(scope: Scope, error: Exception) -> Response:
    """Return the problem that reports an error to the client."""
    request_id = request_id_of(scope)
    headers: Mapping[str, str] | None = None
    match error:
        case InvalidRowError():
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            problem = _problem(request_id, status, str(error), violations=error.violations)
        case UnreadableRowError():
            problem = _problem(request_id, HTTPStatus.BAD_REQUEST, str(error))
        case ClientDisconnect():
            detail = "The request body is incomplete."
            problem = _problem(request_id, HTTPStatus.BAD_REQUEST, detail)
        case HTTPException():
            headers = error.headers
            problem = _problem(request_id, error.status_code, error.detail)
        case _:
            # The error is raised again after this answer, and uvicorn closes the connection then.
            headers = {"connection": "close"}
            problem = _internal_error(scope, request_id, error)
    return _inference_error(problem, headers) if _is_inference(scope) else _answer(problem, headers)


def problem_without_request(request_id: str, status: HTTPStatus, detail: str) -> Response:
    """Return the problem of a request that is incomplete, after which the connection is closed."""
    return _answer(_problem(request_id, status, detail), {"connection": "close"})


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


def _internal_error(scope: Scope, request_id: str, error: Exception) -> Problem:
    _log.error(
        "request %s: %s %s failed with %s; the traceback follows",
        request_id,
        scope["method"],
        scope["path"],
        type(error).__name__,
    )
    return _problem(
        request_id,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Internal server error; see the server log for this request ID.",
    )


def _problem(
    request_id: str, status: int, detail: str, *, violations: Sequence[Violation] = ()
) -> Problem:
    return Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=request_id,
        errors=[_fields(violation) for violation in violations] or None,
    )


def _fields(violation: Violation) -> dict[str, str | int]:
    return {name: value for name, value in asdict(violation).items() if value is not None}


def _answer(problem: Problem, headers: Mapping[str, str] | None) -> Response:
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        headers={**(headers or {}), "X-Content-Type-Options": "nosniff"},
        media_type=MEDIA_TYPE,
    )


def _is_inference(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == INFERENCE_PATH or path.startswith(f"{INFERENCE_PATH}/")


def _inference_error(problem: Problem, headers: Mapping[str, str] | None) -> Response:
    """Return a problem in the form of the Open Inference Protocol, with its status."""
    is_invalid = problem.status == HTTPStatus.UNPROCESSABLE_ENTITY
    expected = [f"{each['field']}: {each['expected']}." for each in problem.errors or ()]
    return JSONResponse(
        {"error": " Expected for ".join([problem.detail, *expected[:1]])},
        status_code=HTTPStatus.BAD_REQUEST if is_invalid else problem.status,
        headers={**(headers or {}), "X-Content-Type-Options": "nosniff"},
    )
