"""The table of all drills."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.drills import bundles, fool_verify, kills, requests, rival_promotions
from tests.drills.drill import DrillResult
from tests.verification.tricks import WAYS


@dataclass(frozen=True, kw_only=True)
class Drill:
    """A drill with its size in `make drill` and in `make test`.

    Attributes:
        title: The attempts and the expected outcome, for docs/reliability.md.
        run: Runs a number of attempts in an empty directory.
        full: Number of attempts in `make drill`.
        short: Number of attempts in `make test`.
    """

    title: str
    run: Callable[[Path, int], DrillResult]
    full: int
    short: int


DRILLS: dict[str, Drill] = {
    "bundles": Drill(
        title="Altered bundles: each is refused, or predicts what its record proves",
        run=bundles.run,
        full=10_000,
        short=200,
    ),
    "fool-verify": Drill(
        title="Servers that try to fool `verify`; each of them fails it",
        run=fool_verify.run,
        full=3 * len(WAYS),
        short=20,
    ),
    "kills": Drill(
        title="SIGKILL during promote and rollback; a reader always sees a valid history",
        run=kills.run,
        full=1_000,
        short=20,
    ),
    "requests": Drill(
        title="Hostile requests: each gets its right answer, and none a server error",
        run=requests.run,
        full=200_000,
        short=5_000,
    ),
    "rival-promotions": Drill(
        title="Rounds of 50 promotions at once; each round has one winner",
        run=rival_promotions.run,
        full=50,
        short=1,
    ),
}
