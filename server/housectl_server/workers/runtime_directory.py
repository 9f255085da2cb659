"""The runtime directory of a server with several workers: their states and their metrics."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from housectl.errors import LocalEnvironmentError


@contextmanager
def runtime_directory() -> Iterator[Path]:
    """Yield a new temporary directory.

    Raises:
        LocalEnvironmentError: There is no writable directory for temporary files.
    """
    try:
        directory = Path(tempfile.mkdtemp(prefix="housectl-server-"))
    except OSError as error:
        raise LocalEnvironmentError(
            f"The server's directory for temporary files cannot be created: {error}.",
            hint="housectl serve --workers 1   # needs no such directory",
        ) from error
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
