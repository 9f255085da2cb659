"""GET /drift: the latest rows of each feature against the training rows."""

from collections.abc import Callable, Iterator

from fastapi import APIRouter
from pydantic import BaseModel, Field

from housectl.contract.reference import Reference
from housectl.contract.schema import Schema
from housectl_server.model.feature_texts import describe_bins
from housectl_server.monitoring.drift import feature_drifts
from housectl_server.monitoring.exposition import served_models
from housectl_server.monitoring.model_counts import NO_REFERENCE
from housectl_server.monitoring.monitor import Monitor
from housectl_server.monitoring.snapshot import ModelSnapshot
from housectl_server.state import ServingState

_NO_CHAMPION = "No model has been promoted yet."
_TOO_FEW_ROWS = (
    "Too few rows were predicted since the model is served: a feature needs 100 for each bin."
)


class FeatureDrift(BaseModel):
    """Distributions of one feature; the last bin has the missing values."""

    feature: str
    psi: float | None = Field(
        description="Population stability index; null if too few rows were predicted."
    )
    bins: list[str] = Field(description="Values in each bin, in words.")
    training: list[int] = Field(description="Number of training rows in each bin.")
    latest: list[int] = Field(description="Number of the latest rows of all workers in each bin.")


class Drift(BaseModel):
    """Drift of the features of the served model, of which the first 100 are compared."""

    model_digest: str | None = None
    rows: int = Field(default=0, description="Number of the latest rows.")
    features: list[FeatureDrift] = Field(default_factory=list)
    reason: str | None = Field(default=None, description="Reason why no feature has a PSI.")


def drift_router(get_state: Callable[[], ServingState], monitor: Monitor) -> APIRouter:
    """Return the route of the drift.

    Args:
        get_state: Returns the server's current state.
        monitor: The counts of the server.
    """
    router = APIRouter(tags=["monitoring"])

    @router.get("/drift", summary="Compare the latest rows of each feature with the training rows")
    async def drift() -> Drift:
        return _drift(get_state(), monitor)

    return router


def _drift(state: ServingState, monitor: Monitor) -> Drift:
    if state.champion is None:
        return Drift(reason=_NO_CHAMPION)
    bundle, digest = state.champion.model.bundle, state.champion.digest
    models = [
        each
        for each in served_models(monitor.snapshots())
        if each.description.digest == digest and each.description.expected
    ]
    if bundle.reference is None or not models:
        return Drift(model_digest=digest, reason=NO_REFERENCE)
    features = list(_features(bundle.record.schema, bundle.reference, models))
    has_psi = any(each.psi is not None for each in features)
    return Drift(
        model_digest=digest,
        rows=sum(features[0].latest),
        features=features,
        reason=None if has_psi else _TOO_FEW_ROWS,
    )


def _features(
    schema: Schema, reference: Reference, models: list[ModelSnapshot]
) -> Iterator[FeatureDrift]:
    drifts = feature_drifts(models)
    # Only the first features have a label.
    for feature, label in zip(schema.features, models[0].description.labels, strict=False):
        drift = drifts[label]
        yield FeatureDrift(
            feature=feature.name,
            psi=drift.psi,
            bins=[*describe_bins(feature, reference.features[feature.name]), "missing"],
            training=list(drift.expected),
            latest=list(drift.observed),
        )
