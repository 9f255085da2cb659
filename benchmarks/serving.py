"""Predictions per second, compared with an ordinary endpoint that returns a constant."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median

from benchmarks.constant_server import FASTEST, ORDINARY, ROUTED
from benchmarks.load import Load, generator, load
from benchmarks.measurement import Direction, Measurement, log
from benchmarks.servers import running_server
from housectl.store.local import LocalStore

_ROUNDS = 9
_SECONDS = 2.0
_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class ServedStore:
    """Store whose champion is served.

    Attributes:
        goal: Minimum ratio of its rate to the rate of the baseline.
    """

    store: Path
    goal: float


def measure(served: Mapping[str, ServedStore], scratch: Path) -> list[Measurement]:
    """Load the endpoints in turn, and compare them by the median of the rounds' ratios.

    The best rates would be biased: the faster of two servers gains more from a quiet moment.

    Args:
        served: Stores by name; their champions have the same schema.
        scratch: Directory for temporary files.
    """
    first = next(iter(served.values())).store
    with ExitStack() as servers:
        constant = servers.enter_context(
            running_server(
                "benchmarks.constant_server", store=first, log=scratch / "constant-server.log"
            )
        )
        urls = {path: constant + path for path in (FASTEST, ROUTED, ORDINARY)}
        for number, (name, champion) in enumerate(served.items()):
            log_file = scratch / f"server-{number}.log"
            url = servers.enter_context(
                running_server("housectl_server", "--port", store=champion.store, log=log_file)
            )
            urls[name] = f"{url}/predict"
        loads = _loads(urls, golden_bodies(first), scratch)
    return [_measurement(name, loads, champion.goal) for name, champion in served.items()]


def _loads(urls: Mapping[str, str], bodies: Sequence[str], scratch: Path) -> dict[str, list[Load]]:
    """Return the results of each endpoint, one per round."""
    for url in urls.values():
        load(url, bodies, seconds=_WARM_UP_SECONDS, scratch=scratch)
    loads: dict[str, list[Load]] = {name: [] for name in urls}
    for number in range(_ROUNDS):
        log(f"serving: round {number + 1} of {_ROUNDS}, load by {generator()}")
        for name, url in urls.items():
            loads[name].append(load(url, bodies, seconds=_SECONDS, scratch=scratch))
    return loads


def _measurement(name: str, loads: Mapping[str, Sequence[Load]], goal: float) -> Measurement:
    return Measurement(
        name=f"/predict with {name}",
        ratio=_ratio(loads[name], loads[ORDINARY]),
        goal=goal,
        better=Direction.HIGHER,
        detail=f"{_summary(loads[name])}\nagainst {_summary(loads[ORDINARY])}\n"
        f"({_ratio(loads[name], loads[ROUTED]):.2f} of a lean route, "
        f"{_ratio(loads[name], loads[FASTEST]):.2f} of an application without a framework)",
    )


def _ratio(loads: Sequence[Load], baseline: Sequence[Load]) -> float:
    return median(load.rate / base.rate for load, base in zip(loads, baseline, strict=True))


def _summary(rounds: Sequence[Load]) -> str:
    rate, p50, p99 = (median(values) for values in zip(*map(astuple, rounds), strict=True))
    return f"{rate:.0f}/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms"


def golden_bodies(store: Path) -> list[str]:
    """Return the golden rows as request bodies.

    A single repeated row would let the branch predictor memorise its path through the trees.
    """
    champions = LocalStore(store)
    golden = champions.bundle(champions.require_champion().bundle).golden
    return [json.dumps(dict(zip(golden.features, row.row, strict=True))) for row in golden.rows]
