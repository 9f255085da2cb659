"""What a server serves at a moment, and how well it follows its store."""

from dataclasses import dataclass
from enum import StrEnum

from starlette.types import ASGIApp

from housectl_server.inference import ServedModel


class ServingStatus(StrEnum):
    """How a server stands to its store."""

    OK = "ok"
    DEGRADED = "degraded"
    NO_CHAMPION = "no champion"


@dataclass(frozen=True)
class Champion:
    """A model that is served.

    Attributes:
        number: That of the history's entry which made it the champion.
        since: When this server began to serve it: UTC, ISO 8601.
    """

    number: int
    model: ServedModel
    serving_since: str

    @property
    def digest(self) -> str:
        """The digest of its bundle."""
        return self.model.bundle.digest

    def __str__(self) -> str:
        return f"champion {self.number}, {self.model.bundle.version}"


@dataclass(frozen=True)
class ServingState:
    """All that a swap replaces, in one reference.

    Attributes:
        app: What answers requests.
        champion: What it answers with; None before the first promotion.
        reason: Why a newer champion is not served, or why there is none.
    """

    app: ASGIApp
    champion: Champion | None = None
    reason: str | None = None

    @property
    def status(self) -> ServingStatus:
        """How the server stands to its store."""
        if self.champion is None:
            return ServingStatus.NO_CHAMPION
        return ServingStatus.DEGRADED if self.reason else ServingStatus.OK
