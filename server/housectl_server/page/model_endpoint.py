"""GET /model: the description of the served model."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from housectl_server.endpoints.health import not_ready_error
from housectl_server.http.problems import openapi_responses
from housectl_server.page.model_report import ModelReport
from housectl_server.state import ServingState


def model_router(get_state: Callable[[], ServingState]) -> APIRouter:
    """Return the route of the description.

    Args:
        get_state: Returns the server's current state, also to an application that was replaced.
    """
    router = APIRouter(tags=["model"])

    @router.get(
        "/model",
        summary="Describe the served model, its features, its errors and its history",
        response_model=ModelReport,
        responses=openapi_responses(HTTPStatus.SERVICE_UNAVAILABLE),
    )
    async def model() -> Response:
        state = get_state()
        if state.champion is None:
            raise not_ready_error(state)
        return Response(state.champion.report, media_type="application/json")

    return router
