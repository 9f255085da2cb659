"""What a server says of itself."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict

from housectl_server.problems import openapi_responses
from housectl_server.state import ServingState, ServingStatus

PROMOTE_COMMAND = "housectl promote"


class Health(BaseModel):
    """The standing of a server.

    Attributes:
        model_digest: That of the bundle which answers; null without one.
        reason: Why it is not the store's newest champion; null when it is.
        champion: Number of the history's entry which is served.
        since: When this server began to serve it: UTC, ISO 8601.
        out_of_range: How many values were outside of the training data's range, by feature.
    """

    model_config = ConfigDict(protected_namespaces=())

    status: ServingStatus
    model_digest: str | None = None
    reason: str | None = None
    champion: int | None = None
    serving_since: str | None = None
    out_of_range: dict[str, int] = {}


class Probe(BaseModel):
    """The answer to a probe that passes."""

    status: str


def health_router(look: Callable[[], ServingState]) -> APIRouter:
    """Return the routes that tell of the server.

    Args:
        look: Returns the standing of now, also to an application that no longer serves.
    """
    router = APIRouter(tags=["health"])

    @router.get("/health", summary="What is served, and whether it is the champion")
    async def health() -> Health:
        return _health(look())

    @router.get("/health/live", summary="Whether the process answers")
    async def live() -> Probe:
        return Probe(status="live")

    @router.get(
        "/health/ready",
        summary="Whether predictions are served",
        responses=openapi_responses(HTTPStatus.SERVICE_UNAVAILABLE),
    )
    async def ready() -> Probe:
        standing = look()
        if standing.champion is None:
            raise not_ready_error(standing)
        return Probe(status="ready")

    return router


def not_ready_error(standing: ServingState) -> HTTPException:
    """Return the refusal of a server that has no model, with the hint."""
    return HTTPException(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"There is no champion to serve: {standing.reason} Hint: {PROMOTE_COMMAND}",
    )


def _health(standing: ServingState) -> Health:
    champion = standing.champion
    if champion is None:
        return Health(status=standing.status, reason=standing.reason)
    return Health(
        status=standing.status,
        model_digest=champion.digest,
        reason=standing.reason,
        champion=champion.number,
        serving_since=champion.serving_since,
        out_of_range=champion.model.out_of_range,
    )
