"""The lock of a run directory: its supervisor holds it until it exits."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MAX_ATTEMPTS = 10
_RETRY_DELAY_SECONDS = 0.01


@dataclass(frozen=True)
class Lock:
    """An advisory lock; the kernel releases it when its holder exits or is killed.

    The lock belongs to the open file, so a process that inherits the file holds the lock too.
    """

    path: Path

    @property
    def held(self) -> bool:
        """True if a process holds the lock."""
        with self.path.open("rb") as file:
            return not _try_lock(file, fcntl.LOCK_SH)

    @property
    def holder(self) -> int | None:
        """PID of the last holder, or None while a new holder has not written its PID yet."""
        text = self.path.read_text()
        return int(text) if text.endswith("\n") else None

    @contextmanager
    def acquired(self) -> Iterator[BinaryIO | None]:
        """Hold the lock in the block; yield its file, or None if another process holds it."""
        with self.path.open("ab") as file:
            # A process that reads `held` acquires the lock for a moment, so a failure is retried.
            for _ in range(_MAX_ATTEMPTS):
                if _try_lock(file, fcntl.LOCK_EX):
                    file.truncate(0)
                    yield file
                    return
                time.sleep(_RETRY_DELAY_SECONDS)
        yield None


def _try_lock(file: BinaryIO, mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
