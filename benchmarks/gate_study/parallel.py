"""Measurement of many simulated worlds by several processes, one file for each world."""

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.gate_study.many_rows import measure_many_rows
from benchmarks.gate_study.material import measure_world
from benchmarks.gate_study.wear import measure_wear
from benchmarks.worker_processes import PROCESSES, map_in_background
from housectl.contract.files import atomic_write
from housectl_trainer.progress import report_progress


def save_world(path: Path) -> None:
    """Measure the world whose number is the name of the file, and write the file."""
    measure_world(int(path.stem)).save(path)


def save_wear(path: Path) -> None:
    """Measure the wear in the world whose number is the name of the file, and write the file."""
    atomic_write(path, measure_wear(int(path.stem)).to_json())


def save_many_rows(path: Path) -> None:
    """Measure a world, and write the file; its directory is named by the number of rows."""
    atomic_write(path, measure_many_rows(int(path.parent.name), int(path.stem)).to_json())


def write_missing(paths: Sequence[Path], write: Callable[[Path], None], *, what: str) -> None:
    """Write all files that do not exist yet, and report the progress."""
    missing = [path for path in paths if not path.exists()]
    written = map_in_background(write, missing)
    for _ in report_progress(written, total=len(missing), what=what, processes=PROCESSES):
        pass
