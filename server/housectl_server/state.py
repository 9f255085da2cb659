"""Serving state: the champion that is served, and the reason if it is not the newest."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from starlette.types import ASGIApp

from housectl.contract.history import HistoryEntry
from housectl_server.http.answer_headers import Header
from housectl_server.model.served_model import ServedModel


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
        serving_since: Time at which this server began to serve it: UTC, ISO 8601.
        override: Reason with which it was promoted against the verdict; None otherwise.
    """

    entry: HistoryEntry
    model: ServedModel
    serving_since: str
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
    """

    app: ASGIApp
    champion: Champion | None = None
    reason: str | None = None

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
        return (
            (b"x-model-digest", bundle.digest.encode()),
            (b"x-model-version", bundle.version.encode()),
        )
