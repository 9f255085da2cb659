"""Measurement of many simulated worlds by several processes, one file for each world."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from benchmarks.gate_study.material import measure_world
from benchmarks.gate_study.wear import measure_wear
from housectl.contract.files import atomic_write
from housectl_trainer.parent_watchdog import die_with_parent
from housectl_trainer.progress import report_progress

_PROCESSES = 2
_NICENESS = 10


def save_world(path: Path) -> None:
    """Measure the world whose number is the name of the file, and write the file."""
    measure_world(int(path.stem)).save(path)


def save_wear(path: Path) -> None:
    """Measure the wear in the world whose number is the name of the file, and write the file."""
    atomic_write(path, measure_wear(int(path.stem)).to_json())


def write_missing(paths: Sequence[Path], write: Callable[[Path], None], *, what: str) -> None:
    """Write all files that do not exist yet, and report the progress."""
    missing = [path for path in paths if not path.exists()]
    written = _write(missing, write)
    for _ in report_progress(written, total=len(missing), what=what, processes=_PROCESSES):
        pass


def _write(paths: Sequence[Path], write: Callable[[Path], None]) -> Iterator[None]:
    # The numerical libraries read these at import, and each spawned process imports them again.
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(
        _PROCESSES, mp_context=get_context("spawn"), initializer=_initialize_worker
    ) as executor:
        for future in as_completed([executor.submit(write, path) for path in paths]):
            yield future.result()


def _initialize_worker() -> None:
    die_with_parent()
    os.nice(max(0, _NICENESS - os.nice(0)))
