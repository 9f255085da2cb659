"""Report of a benchmark run: a table on stdout and a JSON file."""

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
    """Share compiled modules among all processes, as an installed package does."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(directory)


def _table(measurements: Sequence[Measurement]) -> Table:
    table = Table("measurement", "figure", "goal", "", "details", box=None, header_style="bold")
    for measurement in measurements:
        sign = "≤" if measurement.better is Direction.LOWER else "≥"
        table.add_row(
            measurement.name,
            f"{measurement.ratio:.3g} {measurement.unit}",
            f"{sign} {measurement.goal:g} {measurement.unit}",
            "met" if measurement.met else "[bold red]missed[/]",
            measurement.detail,
        )
    return table


def _json(measurements: Sequence[Measurement]) -> bytes:
    rows = [
        {
            "name": measurement.name,
            "ratio": measurement.ratio,
            "goal": measurement.goal,
            "better": measurement.better,
        }
        for measurement in measurements
    ]
    return json.dumps(rows, indent=2).encode() + b"\n"
