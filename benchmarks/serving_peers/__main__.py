"""Compare housectl's server with other model servers: `python -m benchmarks.serving_peers`.

It prints a table, and writes build/serving-peers.json.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.constant_server import ORDINARY
from benchmarks.load import Load, generator, load
from benchmarks.measurement import log
from benchmarks.report import share_bytecode_cache
from benchmarks.serving import golden_bodies
from benchmarks.serving_peers.contestants import (
    CONSTANTS,
    Contestant,
    constant,
    housectl,
    peer,
    started,
)
from benchmarks.serving_peers.environments import InstallationError
from benchmarks.serving_peers.peers import PEERS
from benchmarks.serving_peers.processes import megabytes_below
from benchmarks.workbench import force_promote, seal
from housectl.contract.families import Family
from housectl.contract.files import atomic_write
from housectl.search_spaces import default_space
from housectl.store.local import LocalStore
from tools.project_directory import ROOT, copy_boston

_OUTPUT = ROOT / "build" / "serving-peers.json"
_SECONDS = 5.0
_WARM_UP_SECONDS = 2.0
_CONNECTIONS = (1, 8, 64)
_COMPARED = 8
_FOREST, _BOOSTING = "housectl, 1 worker", "housectl, 1 worker, XGBoost"
_ORDINARY = next(title for title, path in CONSTANTS.items() if path == ORDINARY)


@dataclass(frozen=True)
class Row:
    """Figures of a server.

    Attributes:
        loads: Results by the number of connections.
        megabytes: Memory of all processes after the load (PSS).
        start: Seconds from the start until it was ready.
        installed: Megabytes of its environment on disk, if it has one of its own.
    """

    loads: Mapping[int, Load]
    megabytes: float
    start: float
    installed: float | None


def main() -> int:
    """Measure all servers one after the other; return 1 if a goal is missed."""
    with TemporaryDirectory(prefix="housectl-peers-") as name:
        scratch = Path(name)
        share_bytecode_cache(scratch / "bytecode")
        rows, problems = _measure(scratch)
    Console(width=130).print(_table(rows, problems))
    goals = _goals(rows)
    for goal, is_met in goals.items():
        print(f"{'met' if is_met else 'missed'}: {goal}")
    record = {
        "servers": {title: asdict(row) for title, row in rows.items()},
        "not measured": problems,
        "goals": goals,
    }
    _OUTPUT.parent.mkdir(exist_ok=True)
    atomic_write(_OUTPUT, json.dumps(record, indent=2).encode() + b"\n")
    return int(not all(goals.values()))


def _measure(scratch: Path) -> tuple[Mapping[str, Row], Mapping[str, str]]:
    """Return the figures by server, and the reasons why servers were not measured."""
    log("sealing a forest and a model of XGBoost")
    forest, boosting = (
        _served(scratch, family) for family in (Family.RANDOM_FOREST, Family.XGBOOST)
    )
    bodies = golden_bodies(forest)
    makers: dict[str, Callable[[], Contestant]] = {
        _FOREST: lambda: housectl(forest, bodies, workers=1),
        "housectl, 2 workers": lambda: housectl(forest, bodies, workers=2),
        _BOOSTING: lambda: housectl(boosting, bodies, workers=1),
    }
    makers |= {
        title: lambda path=path: constant(forest, bodies, path)  # type: ignore[misc]
        for title, path in CONSTANTS.items()
    }
    for name, definition in PEERS.items():
        (directory := scratch / name).mkdir()
        model = directory / "model.joblib"
        model.write_bytes(_native_forest(forest))
        makers[definition.title] = lambda name=name, model=model: peer(name, model, bodies)  # type: ignore[misc]
    rows, problems = {}, {}
    for title, make in makers.items():
        log(f"{title}: load by {generator()}")
        try:
            rows[title] = _row(make(), scratch)
        except (InstallationError, OSError, RuntimeError) as error:
            problems[title] = f"{type(error).__name__}: {error}"[:500]
    return rows, problems


def _served(scratch: Path, family: Family) -> Path:
    """Return a store with a hand-tuned model as its champion."""
    project = copy_boston(scratch / family).path
    space = default_space(family)
    store = scratch / f"{family}-store"
    sealed = seal(project, family, family, {**space.fixed, **space.enqueued[-1]})
    force_promote(LocalStore(store), sealed)
    return store


def _native_forest(store: Path) -> bytes:
    champions = LocalStore(store)
    bundle = champions.bundle(champions.require_champion().bundle)
    return bundle.content[Family.RANDOM_FOREST.definition.native_file]


def _row(contestant: Contestant, scratch: Path) -> Row:
    with started(contestant, scratch / "server.log") as seconds:
        url, bodies = contestant.url, contestant.bodies
        load(url, bodies, seconds=_WARM_UP_SECONDS, scratch=scratch)
        loads = {
            count: load(url, bodies, seconds=_SECONDS, scratch=scratch, connections=count)
            for count in _CONNECTIONS
        }
        return Row(loads, megabytes_below(os.getpid()), seconds, contestant.installed)


def _goals(rows: Mapping[str, Row]) -> Mapping[str, bool]:
    """Return True for each goal that is met, by its description with the figures."""
    ours, ordinary = rows[_FOREST].loads[_COMPARED], rows[_ORDINARY].loads[_COMPARED]
    boosting = rows[_BOOSTING].loads[_COMPARED]
    ratios = [
        (f"forest against {_ORDINARY}", ours.rate / ordinary.rate, 1.0),
        (f"XGBoost against {_ORDINARY}", boosting.rate / ordinary.rate, 1.8),
    ]
    for title in (each.title for each in PEERS.values() if each.title in rows):
        theirs = rows[title].loads[_COMPARED]
        ratios += [
            (f"requests per second against {title}", ours.rate / theirs.rate, 80.0),
            (f"p50 of {title} against ours", theirs.p50 / ours.p50, 50.0),
        ]
    return {
        f"{text}: {ratio:.2f}, at least {goal:g}": ratio >= goal for text, ratio, goal in ratios
    }


def _table(rows: Mapping[str, Row], problems: Mapping[str, str]) -> Table:
    loads = (f"{count} connections" for count in _CONNECTIONS)
    table = Table("server", *loads, "memory", "start", "installed", box=None, header_style="bold")
    for title, row in rows.items():
        cells = (_cell(row.loads[count]) for count in _CONNECTIONS)
        installed = "" if row.installed is None else f"{row.installed:.0f} MB"
        table.add_row(title, *cells, f"{row.megabytes:.0f} MB", f"{row.start:.1f} s", installed)
    for title, reason in problems.items():
        table.add_row(title, f"not measured: {reason}")
    return table


def _cell(result: Load) -> str:
    return f"{result.rate:,.0f}/s, {result.p50:.2f} / {result.p99:.2f} ms"


if __name__ == "__main__":
    sys.exit(main())
