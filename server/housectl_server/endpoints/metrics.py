"""GET /metrics: the counts of all workers for Prometheus."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from housectl_server.monitoring.exposition import render_metrics
from housectl_server.monitoring.monitor import Monitor


def metrics_router(monitor: Monitor) -> APIRouter:
    """Return the route of the metrics.

    Args:
        monitor: The counts of the server.
    """
    router = APIRouter(tags=["monitoring"])

    @router.get(
        "/metrics",
        summary="Show the metrics of all workers in the format of Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics(accept: Annotated[str, Header(include_in_schema=False)] = "") -> Response:
        content, media_type = render_metrics(monitor.snapshots(), accept=accept)
        return Response(content, media_type=media_type)

    return router
