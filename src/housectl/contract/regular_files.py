"""Reading regular files only: a FIFO or a device in place of a file would block a reader."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

MAX_RECORD_BYTES = 16 * 2**20
MAX_MODEL_BYTES = 2**30


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file, or a link to one, for reading.

    Raises:
        OSError: The file cannot be opened, or is a directory, a FIFO or a device.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    # Another process may replace the file at this moment, so the call itself must not block either.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        yield file


def read_regular(path: Path, *, limit: int = MAX_RECORD_BYTES) -> bytes:
    """Return the content of a regular file.

    Args:
        path: The file.
        limit: Largest accepted size in bytes.

    Raises:
        OSError: The file cannot be read, is no regular file, or is too large.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise OSError(errno.EFBIG, f"Larger than {limit} bytes", str(path))
        return file.read(size)
