"""The sliding window: counts of the latest rows, which all workers together limit."""

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from housectl_server.monitoring.snapshot import Block

# The window has at least so many of the latest rows, and at most one block more.
WINDOW_ROWS = 10_000

_BLOCK_ROWS = 500


class SlidingWindow:
    """Counts of the latest rows of one worker, in blocks.

    Args:
        bins: Number of counts.

    Attributes:
        blocks: Complete blocks, the latest last.
    """

    def __init__(self, *, bins: int) -> None:
        self.blocks: deque[Block] = deque()
        self._bins = bins
        self._start_block()

    def add(self, counts: NDArray[np.int64], *, rows: int, now: float) -> None:
        """Add rows.

        Args:
            counts: `(bins,)`.
            rows: Number of rows.
            now: Present time, in seconds since the epoch.
        """
        self._counts += counts.astype("uint32")
        self._rows += rows
        self._ended_at = now
        if self._rows >= _BLOCK_ROWS:
            self.blocks.append(self._open_block())
            self._start_block()
            kept = sum(block.rows for block in self.blocks)
            while kept - self.blocks[0].rows >= WINDOW_ROWS:
                kept -= self.blocks.popleft().rows

    def snapshot(self) -> list[Block]:
        """Return all blocks, with the incomplete one."""
        return [*self.blocks, self._open_block()] if self._rows else list(self.blocks)

    def _start_block(self) -> None:
        self._counts = np.zeros(self._bins, dtype="uint32")
        self._rows = 0
        self._ended_at = 0.0

    def _open_block(self) -> Block:
        return Block(self._ended_at, self._rows, self._counts.tobytes())


def count_latest(windows: Iterable[Sequence[Block]], *, bins: int) -> NDArray[np.int64]:
    """Return the counts of the latest rows of several workers, `(bins,)`."""
    blocks = sorted((block for window in windows for block in window), key=lambda b: b.ended_at)
    total, rows = np.zeros(bins, dtype="int64"), 0
    while blocks and rows < WINDOW_ROWS:
        block = blocks.pop()
        total += np.frombuffer(block.counts, dtype="uint32")
        rows += block.rows
    return total
