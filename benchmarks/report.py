"""How a run of benchmarks is shown and kept."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measurement import Direction, Measurement
from housectl.contract.files import atomic_write


def report(measurements: Sequence[Measurement], path: Path) -> None:
    """Print a table on stdout, and write the figures as JSON."""
    Console().print(_table(measurements))
    atomic_write(path, _json(measurements))


def share_bytecode_cache(directory: Path) -> None:
    """Let no process compile again what another has compiled, as an installed package does not."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(directory)


def _table(measurements: Sequence[Measurement]) -> Table:
    table = Table("measurement", "figure", "goal", "", "made of", box=None, header_style="bold")
    for each in measurements:
        sign = "≤" if each.better is Direction.LOWER else "≥"
        table.add_row(
            each.name,
            f"{each.ratio:.3g} {each.unit}",
            f"{sign} {each.goal:g} {each.unit}",
            "met" if each.met else "[bold red]missed[/]",
            each.detail,
        )
    return table


def _json(measurements: Sequence[Measurement]) -> bytes:
    rows = [
        {"name": each.name, "ratio": each.ratio, "goal": each.goal, "better": each.better}
        for each in measurements
    ]
    return json.dumps(rows, indent=2).encode() + b"\n"
