"""Progress of long work, as plain lines on stderr."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")

_SECONDS_BETWEEN = 2.0


def report_progress(items: Iterable[_T], *, total: int, what: str) -> Iterator[_T]:
    """Yield the items; say every two seconds how many there were, and how long the rest takes."""
    started = said = time.monotonic()
    for done, item in enumerate(items, start=1):
        now = time.monotonic()
        if now - said >= _SECONDS_BETWEEN and done < total:
            said = now
            rest = (now - started) / done * (total - done)
            print(f"{what} {done} of {total}, about {rest:.0f} s left", file=sys.stderr, flush=True)
        yield item
