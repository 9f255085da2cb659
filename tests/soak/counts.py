"""Counts and failures of a soak."""

import time
from collections import Counter
from dataclasses import dataclass, field

_MAX_FAILURES = 50
_KILL_SECONDS = 10.0


@dataclass
class Counts:
    """Counts of the soak so far, shared by all of its clients and faults.

    Attributes:
        statuses: Answered requests of the clients with valid requests, by status.
        retried: Requests whose connection a killed worker broke, and that were sent again.
        hostile: Malformed and aborted requests.
        generated: Requests that schemathesis generated.
        swaps, kills, outages: Faults so far.
        problems: Number of wrong outcomes by kind.
        failures: The first wrong outcomes, one sentence each.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    retried: int = 0
    hostile: int = 0
    generated: int = 0
    swaps: int = 0
    kills: int = 0
    outages: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _last_kill: float = -_KILL_SECONDS

    @property
    def requests(self) -> int:
        """Number of all requests."""
        return self.statuses.total() + self.hostile + self.generated

    @property
    def shed(self) -> int:
        """Valid requests that were refused because of overload."""
        return self.statuses[503]

    def fail(self, kind: str, sentence: str) -> None:
        """Record a wrong outcome."""
        self.problems[kind] += 1
        if len(self.failures) < _MAX_FAILURES:
            self.failures.append(f"{kind}: {sentence}")

    def record_kill(self) -> None:
        """Record the kill of a worker, before it happens."""
        self.kills += 1
        self._last_kill = time.monotonic()

    def may_break(self) -> bool:
        """Return True if a worker was killed lately, so connections may break."""
        return time.monotonic() - self._last_kill < _KILL_SECONDS
