"""Progress of long work as lines on stderr."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")

_LOG_INTERVAL_SECONDS = 2.0


def report_progress(
    items: Iterable[_T], *, total: int, what: str, processes: int = 1
) -> Iterator[_T]:
    """Yield the items; log the expected time after the first one, and the rest every two seconds.

    Args:
        items: Results of the work.
        total: Their number.
        what: Name of one item.
        processes: Number of items that are worked on at the same time.
    """
    started = logged = time.monotonic()
    for done, item in enumerate(items, start=1):
        now = time.monotonic()
        # The first item ends when the others of the first round are nearly done, too.
        remaining = (now - started) / (done + processes - 1) * (total - done)
        if done == 1 and remaining >= _LOG_INTERVAL_SECONDS:
            logged = now
            _log(f"{total} {what}s, about {remaining:.0f} s")
        elif now - logged >= _LOG_INTERVAL_SECONDS and done < total:
            logged = now
            _log(f"{what} {done} of {total}, about {remaining:.0f} s left")
        yield item


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
