"""Routes of predictions, which FastAPI describes and matches, but does not answer."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus

from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from housectl_server.http.problems import PREDICTION_ERRORS, openapi_responses


def prediction_route(
    path: str,
    function: Callable[[], Awaitable[None]],
    endpoint: ASGIApp,
    *,
    summary: str,
    response_model: object,
    content: Mapping[str, object],
    errors: Iterable[HTTPStatus] = (),
) -> APIRoute:
    """Return a route that an endpoint answers.

    Args:
        path: The route's path.
        function: Gives the route its name; it is never called.
        endpoint: Answers the requests.
        summary: Title of the route in the documentation.
        response_model: Type of the answer.
        content: Schemas and examples of the body, by content type.
        errors: Statuses of the route's own errors, in addition to those of all predictions.
    """
    route = APIRoute(
        path,
        function,
        methods=["POST"],
        summary=summary,
        tags=["prediction"],
        response_model=response_model,
        responses=openapi_responses(*PREDICTION_ERRORS, *errors),
        openapi_extra={"requestBody": {"required": True, "content": dict(content)}},
    )
    route.app = endpoint
    return route
