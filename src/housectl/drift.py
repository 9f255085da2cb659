"""Drift of the features of a running server, as its endpoint /drift reports it."""

from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

import msgspec

from housectl.contract.psi import LARGE_DRIFT, MODERATE_DRIFT
from housectl.deadline import Deadline
from housectl.errors import ServerUnreachableError, UsageError
from housectl.verification.client import Response, connect
from housectl.verification.event_loop import run
from housectl.verification.limits import Limits
from housectl.verification.serving import unreachable_error

PATH = "/drift"

_MAX_FEATURES = 1000
_MAX_BINS = 1000

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Counts = Annotated[tuple[_Count, ...], msgspec.Meta(max_length=_MAX_BINS)]


class DriftLevel(StrEnum):
    """Amount of drift by convention: Siddiqi, "Credit Risk Scorecards" (2006)."""

    NONE = "none"
    MODERATE = "moderate"
    LARGE = "large"
    UNKNOWN = "unknown"


class FeatureDrift(msgspec.Struct, frozen=True, kw_only=True):
    """Drift of one feature.

    Attributes:
        psi: Population stability index; None if too few rows were predicted.
        bins: Values in each bin, in words. The last bin has the missing values.
        training: Number of training rows in each bin.
        latest: Number of the latest predicted rows in each bin.
    """

    feature: str
    psi: float | None
    bins: Annotated[tuple[str, ...], msgspec.Meta(max_length=_MAX_BINS)]
    training: _Counts
    latest: _Counts

    @property
    def level(self) -> DriftLevel:
        """Amount of drift."""
        if self.psi is None:
            return DriftLevel.UNKNOWN
        if self.psi < MODERATE_DRIFT:
            return DriftLevel.NONE
        return DriftLevel.MODERATE if self.psi <= LARGE_DRIFT else DriftLevel.LARGE


class DriftReport(msgspec.Struct, frozen=True, kw_only=True):
    """Drift of the features that a server predicts with.

    Attributes:
        model_digest: Digest of the served bundle; None without a champion.
        rows: Number of the latest rows that are compared with the training rows.
        features: Drift of each feature; empty if the bundle has no reference.
        reason: Reason why no feature has a PSI; None if one has.
    """

    model_digest: str | None
    rows: _Count
    features: Annotated[tuple[FeatureDrift, ...], msgspec.Meta(max_length=_MAX_FEATURES)]
    reason: str | None = None

    @property
    def by_psi(self) -> Sequence[FeatureDrift]:
        """The features, those with the largest PSI first."""
        return sorted(self.features, key=lambda each: -1.0 if each.psi is None else each.psi)[::-1]


def read_drift(url: str, *, limits: Limits) -> DriftReport:
    """Return the drift that a server reports.

    Args:
        url: URL of the server.
        limits: Limits of the request.

    Raises:
        ServerUnreachableError: No server responds, or its answer is invalid.
        UsageError: The URL is invalid, or the server has no drift.
    """
    response = run(_get(url, limits))
    if response.status is None:
        raise unreachable_error(url, response, path=PATH)
    if response.status == HTTPStatus.NOT_FOUND:
        raise UsageError(
            f"The server at {url} reports no drift: it has no {PATH}.",
            hint="pip install --upgrade housectl   # where the server runs; then start it again",
        )
    try:
        return msgspec.json.decode(response.text, type=DriftReport)
    except msgspec.DecodeError as error:
        raise ServerUnreachableError(
            f"The server at {url} gives no usable answer at {PATH}: {error}.",
            hint=f"curl {url}{PATH}   # is this the housectl server?",
        ) from error


async def _get(url: str, limits: Limits) -> Response:
    deadline = Deadline.after(limits.request_seconds)
    async with connect(url, limits=limits, deadline=deadline) as server:
        return await server.get(PATH)
