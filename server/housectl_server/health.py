"""What a server says of itself."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict

from housectl_server.problems import documented
from housectl_server.state import Standing, Status

PROMOTE = "housectl promote"


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

    status: Status
    model_digest: str | None = None
    reason: str | None = None
    champion: int | None = None
    since: str | None = None
    out_of_range: dict[str, int] = {}


class Probe(BaseModel):
    """The answer to a probe that passes."""

    status: str


def health_router(look: Callable[[], Standing]) -> APIRouter:
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
        responses=documented(HTTPStatus.SERVICE_UNAVAILABLE),
    )
    async def ready() -> Probe:
        standing = look()
        if standing.champion is None:
            raise no_champion(standing)
        return Probe(status="ready")

    return router


def no_champion(standing: Standing) -> HTTPException:
    """Return the refusal of a server that has no model, with the cure."""
    return HTTPException(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"There is no champion to serve: {standing.reason} Cure: {PROMOTE}",
    )


def _health(standing: Standing) -> Health:
    champion = standing.champion
    if champion is None:
        return Health(status=standing.status, reason=standing.reason)
    return Health(
        status=standing.status,
        model_digest=champion.digest,
        reason=standing.reason,
        champion=champion.number,
        since=champion.since,
        out_of_range=champion.model.out_of_range,
    )
