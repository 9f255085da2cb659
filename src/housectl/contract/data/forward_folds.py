"""Folds that go forward in time: each fold trains only on rows before its test rows."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from housectl.contract.recipe import DEFAULT_GATE, GateFolds, gate_of
from housectl.errors import DataError


def forward_blocks(
    times: Sequence[float], folds: int, *, shift: int = 0, steps: int = 1
) -> list[range]:
    """Return the test rows of each fold, as indices; its training rows are all rows before them.

    The later half of the rows is divided into blocks of equal size. A boundary moves to the next
    row with a new time, so rows with equal times are never on both sides.

    Args:
        times: Times of the training rows, in ascending order.
        folds: Number of the folds.
        shift: Number of steps by which all boundaries are earlier.
        steps: Number of steps of a block.

    Raises:
        ValueError: There are too few different times.
    """
    rows, half = len(times), folds * steps
    starts = [*_starts(times), rows]
    spare = len(starts) - 1 - folds
    if spare < 0:
        raise ValueError(f"{len(starts)} different times for {folds} folds")
    boundaries: list[int] = []
    for fold in range(folds + 1):
        step = half + fold * steps - shift
        wanted = bisect_left(starts, -(-rows * step // (2 * half)))
        earliest = boundaries[-1] + 1 if boundaries else 0
        boundaries.append(min(max(wanted, earliest), spare + fold))
    return [range(starts[one], starts[other]) for one, other in pairwise(boundaries)]


def latest_block(times: Sequence[float], *, fraction: float) -> range:
    """Return the latest rows; their first row moves to the next one with a new time.

    Args:
        times: Times of the training rows, in ascending order.
        fraction: Fraction of the rows.

    Raises:
        ValueError: All rows have the same time.
    """
    starts = _starts(times)
    if not starts:
        raise ValueError("all rows have the same time")
    wanted = bisect_left(starts, len(times) - round(fraction * len(times)))
    return range(starts[min(wanted, len(starts) - 1)], len(times))


def _starts(times: Sequence[float]) -> list[int]:
    """Return the index of each row with a new time, but the first one."""
    return [index for index in range(1, len(times)) if times[index - 1] < times[index]]


def gate_blocks(times: Sequence[float], gate: GateFolds = DEFAULT_GATE) -> list[range]:
    """Return the test rows of the gate's folds; each repeat shifts all boundaries by one step.

    Args:
        times: Times of the training rows, in ascending order.
        gate: The folds; a block has as many steps as the gate has repeats.

    Raises:
        ValueError: There are too few different times.
    """
    return [
        block
        for repeat in range(gate.repeats)
        for block in forward_blocks(times, gate.folds, shift=repeat, steps=gate.repeats)
    ]


def check_forward_folds(times: Sequence[float], *, column: str) -> None:
    """Check that the gate's test is valid for the folds of these training rows.

    The test assumes the ratio of test rows to training rows of a cross-validation: one to nine with
    ten folds. So the folds may have at most this mean ratio; see docs/architecture.md.

    Args:
        times: Times of the training rows, in ascending order.
        column: Name of the time column.

    Raises:
        DataError: There are too few different times, or too many rows have the same one.
    """
    distinct, gate = len(set(times)), gate_of(len(times))
    if distinct <= gate.folds:
        problem = f"only {distinct} different times, and {gate.folds} folds need more"
    elif _mean_ratio(gate_blocks(times, gate)) > 1 / (gate.folds - 1):
        problem = f"{distinct} different times, and too many rows share one of them"
    else:
        return
    raise DataError(
        f"The training rows cannot be divided forward in time: {column} has {problem}.",
        hint="Name a column with finer times under `split:` in housectl.yaml, or set "
        "`split: {method: hash}`.",
    )


def _mean_ratio(blocks: Sequence[range]) -> float:
    return sum(len(block) / block.start for block in blocks) / len(blocks)
