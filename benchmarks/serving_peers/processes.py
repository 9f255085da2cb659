"""Readiness of a server, and the memory and the end of all of its processes."""

import os
import re
import signal
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

_PSS = re.compile(r"(?m)^Pss: +(\d+) kB")
_PARENT = re.compile(r"(?m)^PPid:\s+(\d+)")
_READY_SECONDS = 300.0


def wait_until_ready(url: str) -> None:
    """Wait until a URL answers with status 200.

    Raises:
        TimeoutError: It does not after five minutes.
    """
    deadline = time.monotonic() + _READY_SECONDS
    while not _is_ready(url):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} is not ready after {_READY_SECONDS:.0f} s")
        time.sleep(0.02)


def _is_ready(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=10) as response:
        return bool(response.status == 200)
    return False


def megabytes_below(pid: int) -> float:
    """Return the memory of all processes below a process; shared memory counts in parts (PSS)."""
    kilobytes = 0
    for each in _descendants(pid):
        with suppress(OSError):
            match = _PSS.search(Path(f"/proc/{each}/smaps_rollup").read_text())
            kilobytes += int(match[1]) if match else 0
    return kilobytes / 1000


def kill_below(pid: int) -> None:
    """Kill all processes below a process: some servers leave workers behind."""
    for each in _descendants(pid):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _descendants(pid: int) -> set[int]:
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            match = _PARENT.search(path.read_text())
            parents[int(path.parent.name)] = int(match[1]) if match else 0
    found: set[int] = set()
    level = {pid}
    while level:
        level = {child for child, parent in parents.items() if parent in level} - found
        found |= level
    return found
