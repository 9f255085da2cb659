"""Measure the cost of each step with the number of rows: `python -m benchmarks.scale [ROWS …]`.

It prints a table in Markdown, and writes build/scale.json, in which later runs replace the columns
of the same numbers of rows.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.measurement import log
from benchmarks.report import share_bytecode_cache
from benchmarks.scale.report import page
from benchmarks.scale.steps import Measured, measure_rows
from housectl.contract.files import atomic_write
from tools.project_directory import ROOT

_ROWS = (500, 5_000, 50_000, 500_000)
_OUTPUT = ROOT / "build" / "scale.json"


def main() -> None:
    """Measure some numbers of rows, small ones first, and print all results so far."""
    results = _read()
    with TemporaryDirectory(prefix="housectl-scale-") as name:
        share_bytecode_cache(Path(name) / "bytecode")
        for rows in [int(text) for text in sys.argv[1:]] or _ROWS:
            log(f"{rows} rows")
            results[rows] = measure_rows(Path(name) / str(rows), rows)
            _write([results[each] for each in sorted(results)])
    print(page([results[each] for each in sorted(results)]))


def _read() -> dict[int, Measured]:
    try:
        results = msgspec.json.decode(_OUTPUT.read_bytes(), type=list[Measured])
    except FileNotFoundError:
        return {}
    return {each.rows: each for each in results}


def _write(results: Sequence[Measured]) -> None:
    _OUTPUT.parent.mkdir(exist_ok=True)
    atomic_write(_OUTPUT, json.dumps([asdict(each) for each in results], indent=2).encode())


if __name__ == "__main__":
    main()
