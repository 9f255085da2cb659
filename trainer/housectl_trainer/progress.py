"""Progress of long work as lines on stderr."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")

_LOG_INTERVAL_SECONDS = 2.0


def report_progress(items: Iterable[_T], *, total: int, what: str) -> Iterator[_T]:
    """Yield the items; log their number and the remaining time every two seconds."""
    started = logged = time.monotonic()
    for done, item in enumerate(items, start=1):
        now = time.monotonic()
        if now - logged >= _LOG_INTERVAL_SECONDS and done < total:
            logged = now
            remaining = (now - started) / done * (total - done)
            print(
                f"{what} {done} of {total}, about {remaining:.0f} s left",
                file=sys.stderr,
                flush=True,
            )
        yield item
