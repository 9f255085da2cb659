"""The tables of docs/benchmarks.md on the cost of each step."""

import math
from collections.abc import Sequence
from itertools import pairwise

from benchmarks.scale.process_memory import Cost
from benchmarks.scale.steps import Measured
from housectl_trainer.sealing.markdown import table

MAX_GROWTH = 12.0
"""Largest factor of a step's time for ten times as many rows."""

_MEMORY_PER_BYTE = 6
_MEMORY = 300 * 10**6


def page(results: Sequence[Measured]) -> str:
    """Return the tables of times and of memory, and the goals that are missed.

    Args:
        results: The results, in the order of the number of rows.
    """
    header = ("step", *(f"{each.rows:,} rows" for each in results), "largest growth")
    steps = list(results[0].costs)
    times = [
        (step, *(_time(each.costs[step]) for each in results), f"{_growth(results, step):.1f}")
        for step in steps
    ]
    memory = [
        (step, *(f"{each.costs[step].memory / 1e6:.0f}" for each in results)) for step in steps
    ]
    facts = [
        ("CSV file, MB", *(f"{each.csv_bytes / 1e6:.2g}" for each in results)),
        ("limit of the memory, MB", *(f"{_memory_limit(each) / 1e6:.0f}" for each in results)),
        ("family of the best trial", *(each.family for each in results)),
        ("graph of the best trial, MB", *(f"{each.bundle_bytes / 1e6:.2g}" for each in results)),
    ]
    return "\n\n".join(
        [
            "Wall time, and CPU time of all processes in brackets:",
            table(header, times),
            "Peak memory of all processes, in MB:",
            table(header[:-1], [*memory, *facts]),
            *_missed(results, steps),
        ]
    )


def _time(cost: Cost) -> str:
    if cost.seconds < 1 / 10:
        return f"{cost.seconds * 1000:.1f} ms"
    return f"{cost.seconds:.3g} s ({cost.cpu_seconds:.3g} s)"


def _growth(results: Sequence[Measured], step: str) -> float:
    """Return the largest factor of the CPU time for ten times as many rows.

    Unlike the wall time, it does not count other work on the machine.
    """
    factors = [
        (after.costs[step].cpu_seconds / before.costs[step].cpu_seconds)
        ** (1 / math.log10(after.rows / before.rows))
        for before, after in pairwise(results)
    ]
    return max(factors, default=1.0)


def _memory_limit(measured: Measured) -> int:
    return _MEMORY_PER_BYTE * measured.csv_bytes + _MEMORY


def _missed(results: Sequence[Measured], steps: Sequence[str]) -> list[str]:
    slow = [step for step in steps if _growth(results, step) > MAX_GROWTH]
    large = [
        f"{step} with {each.rows:,} rows"
        for each in results
        for step in steps
        if each.costs[step].memory > _memory_limit(each)
    ]
    return [
        *([f"Missed growth of the time: {', '.join(slow)}"] if slow else []),
        *([f"Missed limit of the memory: {', '.join(large)}"] if large else []),
    ]
