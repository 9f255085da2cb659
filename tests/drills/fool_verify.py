"""Servers that try to fool `verify`, each with one of the tricks."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
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
from tests.server.running import RunningServer, running
from tests.server.typed_bundles import typed_bundle
from tests.verification.impostor import Answer, Upstream, impostor
from tests.verification.tricks import WAYS, Tricks
from tests.verification.typed_tricks import WAYS as TYPED_WAYS
from tests.verification.typed_tricks import trick

# Only wrong answers may fail a verification here, whatever else this machine does.
_LIMITS = Limits(p99_ms=10_000, request_seconds=10, update_seconds=0.2)
_SHORT = Limits(p99_ms=10_000, request_seconds=0.2, answer_bytes=64 * 1024, run_seconds=1)
_LIMITS_OF = {"slow": _SHORT, "endless": _SHORT}


@dataclass(frozen=True)
class Way:
    """A server in the name of a bundle, with one trick."""

    name: str
    bundle: Bundle
    answer: Answer


def run(scratch: Path, count: int) -> DrillResult:
    """Try one way after another, and between them honest proxies, which must pass."""
    bundles = [make_bundle(scratch, base=20.123456789), typed_bundle(scratch)]
    other = make_bundle(scratch, base=21.0)
    with ExitStack() as stack:
        numbers, typed, others = (
            Upstream(stack.enter_context(_served(bundle, scratch)).url)
            for bundle in (*bundles, other)
        )
        tricks = Tricks(bundles[0], numbers, others)
        ways = [
            *(Way(name, bundles[0], getattr(tricks, name)()) for name in WAYS),
            *(Way(name, bundles[1], trick(typed, change)) for name, change in TYPED_WAYS.items()),
        ]
        failures = [
            f"A server with the trick {way.name!r} fooled verify."
            for way in islice(cycle(ways), count)
            if _passes(way)
        ]
        honest = (Way("honest", bundles[0], numbers), Way("honest", bundles[1], typed))
        failures += ["An honest proxy failed verify." for way in honest if not _passes(way)]
    figures = [f"{min(count, len(ways))} different ways, each with fresh rows."]
    return DrillResult(attempts=count, failures=failures, figures=figures)


@contextmanager
def _served(bundle: Bundle, scratch: Path) -> Iterator[RunningServer]:
    store = LocalStore(scratch / f"store-{bundle.version}")
    promote(store, bundle)
    with running(store.path, scratch / f"{bundle.version}.txt") as server:
        yield server


def _passes(way: Way) -> bool:
    limits = _LIMITS_OF.get(way.name, _LIMITS)
    with impostor(way.answer) as url:
        try:
            report = verify(
                way.bundle, url, limits=limits, deadline=Deadline.after(limits.run_seconds)
            )
        except HousectlError:
            return False
    return report.passed
