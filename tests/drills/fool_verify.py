"""Servers that try to fool `verify`, each with one of the tricks."""

from itertools import cycle, islice
from pathlib import Path

from housectl.contract.bundle import Bundle
from housectl.deadline import Deadline
from housectl.errors import HousectlError
from housectl.store.local import LocalStore
from housectl.verification.limits import Limits
from housectl.verification.verify import verify
from tests.drills.drill import DrillResult
from tests.server.bundles import make_bundle, promote
from tests.server.running import running
from tests.verification.impostor import Answer, Upstream, impostor
from tests.verification.tricks import WAYS, Tricks

# Only wrong answers may fail a verification here, whatever else this machine does.
_LIMITS = Limits(p99_ms=10_000, request_seconds=10, update_seconds=0.2)
_SHORT = Limits(p99_ms=10_000, request_seconds=0.2, answer_bytes=64 * 1024, run_seconds=1)
_LIMITS_OF = {"slow": _SHORT, "endless": _SHORT}


def run(scratch: Path, count: int) -> DrillResult:
    """Try one way after another, and between them an honest proxy, which must pass."""
    bundles = [make_bundle(scratch, base=base) for base in (20.123456789, 21.0)]
    stores = [LocalStore(scratch / f"store-{number}") for number in range(len(bundles))]
    for store, bundle in zip(stores, bundles, strict=True):
        promote(store, bundle)
    with (
        running(stores[0].path, scratch / "champion.txt") as champion,
        running(stores[1].path, scratch / "other.txt") as other,
    ):
        tricks = Tricks(bundles[0], Upstream(champion.url), Upstream(other.url))
        ways = [*islice(cycle(WAYS), count)]
        failures = [
            f"A server with the trick {name!r} fooled verify."
            for name in ways
            if _passes(name, tricks, bundles[0])
        ]
        if not _passes("honest", tricks, bundles[0]):
            failures.append("An honest proxy failed verify.")
    figures = [f"{len({*ways})} different ways, each with fresh rows."]
    return DrillResult(attempts=count, failures=failures, figures=figures)


def _passes(name: str, tricks: Tricks, bundle: Bundle) -> bool:
    answer: Answer = getattr(tricks, name)()
    limits = _LIMITS_OF.get(name, _LIMITS)
    with impostor(answer) as url:
        try:
            report = verify(bundle, url, limits=limits, deadline=Deadline.after(limits.run_seconds))
        except HousectlError:
            return False
    return report.passed
