"""The table of all drills."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.drills import (
    bundles,
    fool_verify,
    kills,
    requests,
    rival_promotions,
    s3_faults,
    s3_followers,
    s3_kills,
    s3_outages,
    s3_rivals,
)
from tests.drills.drill import DrillResult
from tests.verification.tricks import WAYS
from tests.verification.typed_tricks import WAYS as TYPED_WAYS


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
        full=3 * (len(WAYS) + len(TYPED_WAYS)),
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
    "s3-faults": Drill(
        title="Lost, refused or cut requests to S3 during promote and rollback; the champion "
        "changes once",
        run=s3_faults.run,
        full=120,
        short=12,
    ),
    "s3-followers": Drill(
        title="Promotions on S3 while two servers follow; they serve champions only, in order",
        run=s3_followers.run,
        full=200,
        short=20,
    ),
    "s3-kills": Drill(
        title="SIGKILL before and after each request of promote and rollback on S3; a reader "
        "always sees a valid history",
        run=s3_kills.run,
        full=60,
        short=10,
    ),
    "s3-outages": Drill(
        title="Outages of S3; a server keeps its champion, and follows afterwards",
        run=s3_outages.run,
        full=20,
        short=4,
    ),
    "s3-rivals": Drill(
        title="Rounds of 20 promotions at once on S3; one wins, and the others name it",
        run=s3_rivals.run,
        full=10,
        short=1,
    ),
}
