"""The lock of a run directory: held by its supervisor for as long as that lives."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_TRIES = 10
_PAUSE = 0.01


@dataclass(frozen=True)
class Lock:
    """An advisory lock that the kernel frees when its holder dies, however that happens.

    It belongs to the open file, so a process that inherits the file holds the lock with it.
    """

    path: Path

    @property
    def held(self) -> bool:
        """Whether somebody holds the lock."""
        with self.path.open("rb") as file:
            return not _try_lock(file, fcntl.LOCK_SH)

    @property
    def holder(self) -> int | None:
        """The process that last held the lock, or None while that is being settled."""
        text = self.path.read_text()
        return int(text) if text.endswith("\n") else None

    @contextmanager
    def acquired(self) -> Iterator[BinaryIO | None]:
        """Hold the lock in the block; yields its file, or None if somebody else holds it."""
        with self.path.open("ab") as file:
            # Whoever asks whether the lock is held has it for a moment.
            for _ in range(_TRIES):
                if _try_lock(file, fcntl.LOCK_EX):
                    file.truncate(0)
                    yield file
                    return
                time.sleep(_PAUSE)
        yield None


def _try_lock(file: BinaryIO, mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
