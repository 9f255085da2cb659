"""Measure the gate's errors in simulated worlds: `python -m benchmarks.gate_study`.

A run takes about half an hour. An interrupted run resumes when it is started again.
"""

from pathlib import Path

from benchmarks.gate_study.many_rows import ManyRowsWorld
from benchmarks.gate_study.many_rows_page import with_many_rows
from benchmarks.gate_study.material import LEVEL_WORLDS, Material
from benchmarks.gate_study.page import with_results
from benchmarks.gate_study.parallel import (
    save_many_rows,
    save_wear,
    save_world,
    write_missing,
)
from benchmarks.gate_study.wear import Wear
from housectl.contract.files import atomic_write
from tools.project_directory import ROOT

_CHECK_WORLDS = 20
_WEAR_WORLDS = 40
_MANY_ROWS_WORLDS = {400: 100, 2_000: 300, 10_000: 300, 100_000: 60}

_RESULTS = ROOT / "build" / "gate-study"
_PAGE = ROOT / "docs" / "gate.md"


def main() -> None:
    """Measure all worlds that have no file, then write the tables of the page."""
    worlds = _paths("worlds", LEVEL_WORLDS + _CHECK_WORLDS, "npz")
    wears = _paths("wear", _WEAR_WORLDS, "json")
    many_rows = {
        rows: _paths(f"many-rows/{rows}", count, "json")
        for rows, count in _MANY_ROWS_WORLDS.items()
    }
    write_missing(worlds, save_world, what="world")
    write_missing(wears, save_wear, what="world with worn rows")
    write_missing(
        [path for paths in many_rows.values() for path in paths],
        save_many_rows,
        what="world with many rows",
    )
    materials = [Material.load(path) for path in worlds]
    page = with_results(
        _PAGE.read_text(), materials, [Wear.from_json(path.read_bytes()) for path in wears]
    )
    page = with_many_rows(
        page,
        {
            rows: [ManyRowsWorld.from_json(path.read_bytes()) for path in paths]
            for rows, paths in many_rows.items()
        },
    )
    atomic_write(_PAGE, page.encode())


def _paths(kind: str, count: int, suffix: str) -> list[Path]:
    """Return the files of all worlds of a kind; the name of a file is the world's number."""
    directory = _RESULTS / kind
    directory.mkdir(parents=True, exist_ok=True)
    return [directory / f"{number:04}.{suffix}" for number in range(count)]


if __name__ == "__main__":
    main()
