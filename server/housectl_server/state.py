"""Serving state: the champion that is served, and the reason if it is not the newest."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from starlette.types import ASGIApp

from housectl.contract.history import HistoryEntry
from housectl_server.http.answer_headers import Header, model_headers
from housectl_server.model.served_model import ServedModel
from housectl_server.monitoring.model_counts import ModelCounts
from housectl_server.versions.side_versions import SideVersions
from housectl_server.worker_states import WorkerState, WorkerStates, WorkerStatus


class ServingStatus(StrEnum):
    """Status of a server: whether it serves the newest champion of its store."""

    OK = "ok"
    DEGRADED = "degraded"
    NO_CHAMPION = "no_champion"


@dataclass(frozen=True)
class Champion:
    """A champion that is loaded and served.

    Attributes:
        entry: History entry that made it the champion.
        model: The loaded model.
        counts: Counts of the model's predictions.
        serving_since: Time at which this server began to serve it: UTC, ISO 8601.
        report: Description of the model as JSON; see `page.model_report`.
        override: Reason with which it was promoted against the verdict; None otherwise.
    """

    entry: HistoryEntry
    model: ServedModel
    counts: ModelCounts
    serving_since: str
    report: bytes
    override: str | None = None

    @property
    def number(self) -> int:
        """Number of the history entry."""
        return self.entry.number

    @property
    def digest(self) -> str:
        """Digest of the bundle."""
        return self.model.bundle.digest

    def __str__(self) -> str:
        return f"champion {self.number}, {self.model.bundle.version}"


@dataclass(frozen=True)
class ServingState:
    """State that a hot swap replaces, as one object.

    Attributes:
        app: ASGI application that answers requests.
        champion: Champion that the application serves; None before the first promotion.
        reason: Reason why the newest champion is not served; None if it is.
        workers: States of all workers of the server; None in a server of one process.
        versions: Versions that run beside the champion.
    """

    app: ASGIApp
    champion: Champion | None = None
    reason: str | None = None
    workers: WorkerStates | None = None
    versions: SideVersions = field(default_factory=SideVersions)

    @property
    def status(self) -> ServingStatus:
        """Status of the server."""
        if self.champion is None:
            return ServingStatus.NO_CHAMPION
        return ServingStatus.DEGRADED if self.reason else ServingStatus.OK

    @cached_property
    def headers(self) -> Sequence[Header]:
        """Headers of an answer that name the served model; none before the first promotion."""
        if self.champion is None:
            return ()
        bundle = self.champion.model.bundle
        return model_headers(bundle.digest, bundle.version)


def worker_state(state: ServingState) -> WorkerState:
    """Return the state of this process, as its server reports it."""
    worker = WorkerState(pid=os.getpid(), status=WorkerStatus(state.status), reason=state.reason)
    champion = state.champion
    if champion is None:
        return worker
    return worker.model_copy(
        update={
            "model_digest": champion.digest,
            "champion": champion.number,
            "override": champion.override,
            "serving_since": champion.serving_since,
        }
    )
