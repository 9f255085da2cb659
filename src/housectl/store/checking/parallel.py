"""Work on many files of a store, in parallel."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

# A request to an object store takes as long as the transfer of so many bytes.
_BYTES_PER_REQUEST = 64 * 1024
_WORKERS = 8
_BATCH = 1000
# Larger items are processed one after another, because each one takes memory of its size.
_MAX_PARALLEL_BYTES = 64 * 2**20

Item = TypeVar("Item")
Output = TypeVar("Output")


def work_of(size: int) -> int:
    """Return the amount of work that a file of this size in bytes takes."""
    return size + _BYTES_PER_REQUEST


def in_parallel(function: Callable[[Item], Output], items: Sequence[Item]) -> Iterator[Output]:
    """Yield the results of a function in the order of its arguments, computed by several threads.

    An exception ends the work: arguments without a thread are dropped.
    """
    with ThreadPoolExecutor(_WORKERS) as workers:
        try:
            for start in range(0, len(items), _BATCH):
                yield from workers.map(function, items[start : start + _BATCH])
        finally:
            workers.shutdown(cancel_futures=True)


def in_parallel_if_small(
    function: Callable[[Item], Output], sizes: Mapping[Item, int]
) -> Iterator[Output]:
    """Yield the results of a function for each item, by several threads if the item is small.

    Args:
        function: The work on an item.
        sizes: Items with their sizes in bytes.
    """
    small = [item for item, size in sizes.items() if size <= _MAX_PARALLEL_BYTES]
    yield from in_parallel(function, small)
    yield from map(function, sizes.keys() - {*small})
