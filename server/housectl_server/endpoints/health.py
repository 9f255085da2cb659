"""The health endpoints: status of the server, liveness and readiness."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from housectl_server.http.problems import openapi_responses
from housectl_server.monitoring.exposition import shadow_total
from housectl_server.monitoring.monitor import Monitor, out_of_range_of
from housectl_server.monitoring.snapshot import Snapshot
from housectl_server.state import Champion, ServingState, ServingStatus, worker_state
from housectl_server.versions.canary import Canary
from housectl_server.versions.eligibility import VersionStatus
from housectl_server.versions.shadow import Shadow
from housectl_server.worker_states import ServedChampion, WorkerState, WorkerStatus

PROMOTE_COMMAND = "housectl promote"

_SHARED_FIELDS = {"model_digest", "champion", "override", "serving_since"}


class VersionHealth(BaseModel):
    """State of a version beside the champion.

    Attributes:
        status: `active`, `champion` (it has become the champion), `incompatible` (it does not
            accept the same rows) or `no_champion`.
        reason: Reason why it is not active; null if it is.
    """

    model_config = ConfigDict(protected_namespaces=())

    model_digest: str
    status: VersionStatus
    reason: str | None = None


class ShadowHealth(VersionHealth):
    """State of a shadow, and its differences from the current champion, of all workers.

    Attributes:
        rows: Number of compared rows.
        mean_absolute_difference: In the target's unit; null without compared rows.
        failures: Number of rows for which the shadow predicts no finite number.
        dropped: Number of rows that were not compared because too many waited.
    """

    rows: int = 0
    mean_absolute_difference: float | None = None
    failures: int = 0
    dropped: int = 0


class CanaryHealth(VersionHealth):
    """State of a canary.

    Attributes:
        percent: Part of the predictions that it answers.
        header: Header whose value chooses the model; null for the id of the request.
        predictions: Number of rows that it predicted, in all workers.
    """

    percent: float
    header: str | None = None
    predictions: int = 0


class Health(ServedChampion):
    """State of a server, as its worker with the oldest champion sees it.

    Attributes:
        status: `ok`, `degraded` (a worker serves an older champion or starts) or `no_champion`.
        out_of_range: By feature, the number of values outside the range of the training data, with
            texts that are no levels, of all workers. Missing values are not counted.
        shadow: Comparison of a shadow with the champion; null without a shadow.
        canary: State of the canary; null without one.
        workers: States of all processes that serve.
    """

    status: ServingStatus
    out_of_range: dict[str, int] = Field(default={})
    shadow: ShadowHealth | None = None
    canary: CanaryHealth | None = None
    workers: list[WorkerState] = Field(default=[])


class Probe(BaseModel):
    """Answer to a passed probe."""

    status: str


def health_router(get_state: Callable[[], ServingState], monitor: Monitor) -> APIRouter:
    """Return the routes of the health endpoints.

    Args:
        get_state: Returns the server's current state, also to an application that was replaced.
        monitor: The counts of the server.
    """
    router = APIRouter(tags=["health"])

    @router.get("/health", summary="Show the served model and the status of the server")
    async def health() -> Health:
        return _health(get_state(), monitor)

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


def _health(state: ServingState, monitor: Monitor) -> Health:
    own = worker_state(state)
    workers = state.workers.read() if state.workers else [own]
    serving = [each for each in workers if each.status is not WorkerStatus.STARTING]
    oldest = min(serving, key=lambda each: each.champion or 0, default=own)
    status, reason = ServingStatus(oldest.status), oldest.reason
    if status is ServingStatus.OK and len(serving) < len(workers):
        status, reason = ServingStatus.DEGRADED, _start_reason(workers)
    snapshots = monitor.snapshots()
    return Health(
        **oldest.model_dump(include=_SHARED_FIELDS),
        status=status,
        reason=reason,
        out_of_range=_out_of_range(state.champion, snapshots) if state.champion else {},
        shadow=_shadow(state.versions.shadow, snapshots),
        canary=_canary(state.versions.canary, snapshots),
        workers=workers,
    )


def _shadow(shadow: Shadow | None, snapshots: Sequence[Snapshot]) -> ShadowHealth | None:
    if shadow is None:
        return None
    health = ShadowHealth(
        model_digest=shadow.bundle.digest,
        status=shadow.eligibility.status,
        reason=shadow.eligibility.reason,
    )
    total = shadow_total(snapshots)
    if total is None:
        return health
    return health.model_copy(
        update={
            "rows": total.rows,
            "mean_absolute_difference": total.absolute_sum / total.rows if total.rows else None,
            "failures": total.failures,
            "dropped": total.dropped,
        }
    )


def _canary(canary: Canary | None, snapshots: Sequence[Snapshot]) -> CanaryHealth | None:
    if canary is None:
        return None
    return CanaryHealth(
        model_digest=canary.bundle.digest,
        status=canary.eligibility.status,
        reason=canary.eligibility.reason,
        percent=canary.split.percent,
        header=canary.split.header,
        predictions=sum(each.canary.predictions for each in snapshots if each.canary),
    )


def _out_of_range(champion: Champion, snapshots: Sequence[Snapshot]) -> dict[str, int]:
    names = champion.model.bundle.record.schema.feature_names
    return dict(zip(names, out_of_range_of(champion.digest, snapshots), strict=True))


def _start_reason(workers: Sequence[WorkerState]) -> str:
    starting = [each for each in workers if each.status is WorkerStatus.STARTING]
    count = f"{len(starting)} of {len(workers)} workers are starting."
    return " ".join([count, *(each.reason for each in starting if each.reason)])
