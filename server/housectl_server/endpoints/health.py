"""The health endpoints: status of the server, liveness and readiness."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict

from housectl_server.http.problems import openapi_responses
from housectl_server.state import ServingState, ServingStatus

PROMOTE_COMMAND = "housectl promote"


class Health(BaseModel):
    """State of a server.

    Attributes:
        status: `ok`, `degraded` (an older champion is served) or `no_champion`.
        model_digest: Digest of the served bundle; null without a champion.
        reason: Reason why the newest champion is not served; null if it is.
        champion: Number of the history entry that is served; null without a champion.
        override: Reason with which the served model was promoted against the verdict; null
            otherwise.
        serving_since: Time at which this server began to serve it: UTC, ISO 8601.
        out_of_range: By feature, the number of values outside the range of the training data, with
            texts that are no levels. Missing values are not counted.
    """

    model_config = ConfigDict(protected_namespaces=())

    status: ServingStatus
    model_digest: str | None = None
    reason: str | None = None
    champion: int | None = None
    override: str | None = None
    serving_since: str | None = None
    out_of_range: dict[str, int] = {}


class Probe(BaseModel):
    """Answer to a passed probe."""

    status: str


def health_router(get_state: Callable[[], ServingState]) -> APIRouter:
    """Return the routes of the health endpoints.

    Args:
        get_state: Returns the server's current state, also to an application that was replaced.
    """
    router = APIRouter(tags=["health"])

    @router.get("/health", summary="Show the served model and the status of the server")
    async def health() -> Health:
        return _health(get_state())

    @router.get("/health/live", summary="Check that the process answers")
    async def live() -> Probe:
        return Probe(status="live")

    @router.get(
        "/health/ready",
        summary="Check that the server can predict",
        responses=openapi_responses(HTTPStatus.SERVICE_UNAVAILABLE),
    )
    async def ready() -> Probe:
        state = get_state()
        if state.champion is None:
            raise not_ready_error(state)
        return Probe(status="ready")

    return router


def not_ready_error(state: ServingState) -> HTTPException:
    """Return the error of a server that has no champion yet."""
    return HTTPException(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"The server has no champion: {state.reason} Hint: {PROMOTE_COMMAND}",
    )


def _health(state: ServingState) -> Health:
    champion = state.champion
    if champion is None:
        return Health(status=state.status, reason=state.reason)
    return Health(
        status=state.status,
        model_digest=champion.digest,
        reason=state.reason,
        champion=champion.number,
        override=champion.override,
        serving_since=champion.serving_since,
        out_of_range=champion.model.out_of_range,
    )
