"""`python -m benchmarks`: measures side by side, prints a table, writes build/bench.json."""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks import promotion, search, serving, startup
from benchmarks.measurement import Better, Measurement, tell
from benchmarks.workbench import ROOT, copy_project, crown, seal
from housectl.contract.files import write_durably
from housectl.contract.recipe import Family
from housectl.spaces import default_space
from housectl.store import ChampionStore

_OUTPUT = ROOT / "build" / "bench.json"
_WEAK = {"n_estimators": 30, "min_samples_leaf": 20}


def main() -> None:
    """Measure all, the quick ones first."""
    with TemporaryDirectory(prefix="housectl-bench-") as name:
        _keep_bytecode(Path(name) / "bytecode")
        measurements = _measure(Path(name))
    Console().print(_table(measurements))
    write_durably(_OUTPUT, _json(measurements))


def _measure(scratch: Path) -> list[Measurement]:
    tell("sealing three models to measure with")
    project = copy_project(scratch / "boston")
    weak = seal(project, "weak", Family.RANDOM_FOREST, _WEAK)
    forest, boosting = (
        seal(project, family, family, {**space.fixed, **space.enqueued[-1]})
        for family, space in ((family, default_space(family)) for family in Family)
    )
    store = ChampionStore(project / ".housectl" / "store")
    for sealed in (forest, boosting, weak):
        crown(store, sealed)
    store.add_challenger("better", forest.bundle, forest.evidence)
    served = {
        "a forest of 300 trees": serving.Served(scratch / "forest", goal=0.70),
        "XGBoost": serving.Served(scratch / "boosting", goal=0.80),
    }
    for each, sealed in zip(served.values(), (forest, boosting), strict=True):
        crown(ChampionStore(each.store), sealed)
    return [
        *startup.measure(project),
        *promotion.measure(project, scratch),
        *serving.measure(served, scratch),
        *search.measure(scratch),
    ]


def _keep_bytecode(directory: Path) -> None:
    """Let no process compile again what another has compiled, as an installed package does not."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(directory)


def _table(measurements: list[Measurement]) -> Table:
    table = Table("measurement", "figure", "goal", "", "made of", box=None, header_style="bold")
    for each in measurements:
        sign = "≤" if each.better is Better.LOWER else "≥"
        table.add_row(
            each.name,
            f"{each.ratio:.3g} {each.unit}",
            f"{sign} {each.goal:g} {each.unit}",
            "met" if each.met else "[bold red]missed[/]",
            each.detail,
        )
    return table


def _json(measurements: list[Measurement]) -> bytes:
    rows = [
        {"name": each.name, "ratio": each.ratio, "goal": each.goal, "better": each.better}
        for each in measurements
    ]
    return json.dumps(rows, indent=2).encode() + b"\n"


if __name__ == "__main__":
    main()
