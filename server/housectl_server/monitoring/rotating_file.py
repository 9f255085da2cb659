"""A file of lines that several processes append to, rotated by its size."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

MAX_BYTES = 100 * 2**20
# The file itself, and FILE.1 to FILE.4, the oldest last.
MAX_FILES = 5


class RotatingFile:
    """Appends whole lines. Each file is locked while it is written or renamed.

    Args:
        path: The file. Other programs may rename it, too.
        max_bytes: Size at which it is rotated.

    Raises:
        OSError: The file cannot be opened for writing, or is no regular file.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        os.close(self._open())

    def append(self, lines: bytes) -> None:
        """Append lines; after an error, none of them is in the file.

        Raises:
            OSError: The lines cannot be written.
        """
        with self._locked() as file:
            size = os.fstat(file).st_size
            if not size or size + len(lines) <= self._max_bytes:
                _write_all(file, lines, start=size)
                return
            self._rotate()
        self.append(lines)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Yield the locked file, which has its name while it is locked."""
        while True:
            file = self._open()
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if self._has_name(file):
                    yield file
                    return
            finally:
                os.close(file)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open(self._path, flags, 0o640)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise OSError(errno.EINVAL, "Not a regular file", str(self._path))
        return file

    def _has_name(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        paths = [self._path, *(Path(f"{self._path}.{n}") for n in range(1, MAX_FILES))]
        for newer, older in reversed(list(pairwise(paths))):
            if newer.exists():
                newer.replace(older)


def _write_all(file: int, lines: bytes, *, start: int) -> None:
    view = memoryview(lines)
    try:
        while view:
            view = view[os.write(file, view) :]
    except OSError:
        os.ftruncate(file, start)
        raise
