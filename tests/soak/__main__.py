"""Run the soak: `python -m tests.soak [--minutes MINUTES]`; writes build/soak.json."""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from housectl.contract.files import atomic_write
from tests.soak.soak import SoakPlan, SoakResult, soak
from tools.project_directory import ROOT

_OUTPUT = ROOT / "build" / "soak.json"


def main() -> int:
    """Run the soak, print a table, and return the exit status: 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="duration of the load")
    minutes = parser.parse_args().minutes
    plan = SoakPlan(
        seconds=60 * minutes, swaps=round(20 * minutes), min_requests=round(50_000 * minutes)
    )
    with TemporaryDirectory(prefix="housectl-soak-") as directory:
        result = soak(plan, Path(directory), log=lambda text: print(text, file=sys.stderr))
    figures = _figures(result)
    Console().print(_table(figures))
    record = {"figures": figures, "missed": result.missed, "failures": result.counts.failures}
    _OUTPUT.parent.mkdir(exist_ok=True)
    atomic_write(_OUTPUT, json.dumps(record, indent=2).encode() + b"\n")
    for text in (*result.missed, *result.counts.failures):
        print(text, file=sys.stderr)
    return int(bool(result.missed))


def _figures(result: SoakResult) -> dict[str, str]:
    counts, problems = result.counts, result.counts.problems
    memory = (
        f"{store}: {start:.0f} MB, then {end:.0f} MB ({end / start - 1:+.1%})"
        for store, (start, end) in result.memory.items()
    )
    return {
        "requests": f"{counts.requests:,} in {result.seconds:.0f} s",
        "valid requests, answered": f"{counts.statuses.total():,}",
        "refused because of overload": f"{counts.shed:,}",
        "malformed and aborted requests": f"{counts.hostile:,}",
        "requests that schemathesis generated": f"{counts.generated:,}",
        "promotions and rollbacks": f"{counts.swaps}",
        "killed workers": f"{counts.kills}",
        "sent again after a killed worker": f"{counts.retried}",
        "outages of a store": f"{counts.outages}",
        "lost requests": f"{problems['lost']}",
        "wrong answers": f"{problems['wrong']}",
        "other problems": f"{problems.total() - problems['lost'] - problems['wrong']}",
        "memory of the workers (PSS)": "; ".join(memory),
    }


def _table(figures: dict[str, str]) -> Table:
    table = Table("", "figure", box=None, header_style="bold")
    for row in figures.items():
        table.add_row(*row)
    return table


if __name__ == "__main__":
    sys.exit(main())
