"""Background processes for long measurements, which end with their parent."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

from housectl_trainer.parent_watchdog import die_with_parent

PROCESSES = 2
"""Number of processes."""
_NICENESS = 10

T = TypeVar("T")
R = TypeVar("R")


def map_in_background(function: Callable[[T], R], values: Iterable[T]) -> Iterator[R]:
    """Yield the results of a function, in the order in which the processes finish."""
    # The numerical libraries read these at import, and each spawned process imports them again.
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(
        PROCESSES, mp_context=get_context("spawn"), initializer=_initialize_worker
    ) as executor:
        for future in as_completed([executor.submit(function, value) for value in values]):
            yield future.result()


def yield_to_others() -> None:
    """Lower the priority of this process."""
    os.nice(max(0, _NICENESS - os.nice(0)))


def _initialize_worker() -> None:
    die_with_parent()
    yield_to_others()
