"""Memory of a server process after it has loaded a model."""

import ctypes
from contextlib import suppress


def release_freed_memory() -> None:
    """Return freed memory to the system, which takes some milliseconds.

    A load needs several times the memory of its model. The C library would keep it for later.
    """
    with suppress(AttributeError):  # only glibc has the function
        ctypes.CDLL(None).malloc_trim(0)
