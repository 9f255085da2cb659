"""Folds that go forward in time."""

import random
from itertools import pairwise

import pytest

from housectl.contract.data.forward_folds import (
    check_forward_folds,
    forward_blocks,
    gate_blocks,
    latest_block,
)
from housectl.contract.recipe import DEFAULT_GATE
from housectl.errors import DataError


def draw_times(seed: int) -> list[float]:
    """Return ascending times with gaps, bursts and ties."""
    rng = random.Random(seed)
    ties = rng.choice([1, 2, 5])
    return sorted(
        round(rng.expovariate(1) ** 3 * 1000) // ties for _ in range(rng.randint(50, 900))
    )


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("folds", [5, 10])
def test_equal_times_are_never_on_both_sides(seed: int, folds: int) -> None:
    times = draw_times(seed)
    for shift in range(DEFAULT_GATE.repeats):
        blocks = forward_blocks(times, folds, shift=shift, steps=DEFAULT_GATE.repeats)
        assert len(blocks) == folds
        assert all(block.stop == other.start for block, other in pairwise(blocks))
        assert all(len(block) > 0 for block in blocks)
        for block in blocks:
            assert 0 < block.start < block.stop <= len(times)
            assert times[block.start - 1] < times[block.start]
            assert block.stop == len(times) or times[block.stop - 1] < times[block.stop]


@pytest.mark.parametrize("rows", [50, 51, 99, 1000])
def test_blocks_of_different_times_cover_the_later_half(rows: int) -> None:
    blocks = forward_blocks(range(rows), DEFAULT_GATE.folds)
    assert blocks[0].start == -(-rows // 2)
    assert blocks[-1].stop == rows
    assert max(map(len, blocks)) - min(map(len, blocks)) <= 1


@pytest.mark.parametrize(
    ("times", "start"),
    [
        (range(100), 80),
        (range(52), 42),
        ([*range(75), *[75] * 10, *range(85, 100)], 85),
        ([*range(50), *[50] * 50], 50),
    ],
)
def test_latest_block_starts_with_a_new_time(times: list[float], start: int) -> None:
    assert latest_block(times, fraction=0.2) == range(start, len(times))


def test_latest_block_needs_two_times() -> None:
    with pytest.raises(ValueError, match="the same time"):
        latest_block([1.0] * 9, fraction=0.2)


def test_repeats_of_the_gate_have_different_boundaries() -> None:
    blocks = gate_blocks(range(1000))
    assert len(blocks) == DEFAULT_GATE.total
    assert len(set(blocks)) == len(blocks)
    assert [
        blocks[repeat * DEFAULT_GATE.folds].start for repeat in range(DEFAULT_GATE.repeats)
    ] == [
        500,
        490,
        480,
        470,
        460,
    ]


@pytest.mark.parametrize(
    ("times", "problem"),
    [
        ([0.0] * 100, "only 1 different times, and 10 folds need more"),
        ([float(row % 10) for row in range(100)], "only 10 different times"),
        ([float(row % 12) for row in range(120)], "12 different times, and too many rows share"),
        ([*map(float, range(40)), *[40.0] * 60], "41 different times, and too many rows share"),
    ],
)
def test_too_few_times_are_refused(times: list[float], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        check_forward_folds(sorted(times), column="sold")


@pytest.mark.parametrize("times", [range(50), [row // 6 for row in range(96)]])
def test_enough_times_are_accepted(times: list[float]) -> None:
    check_forward_folds(times, column="sold")
