"""Temporary files: their names, and the removal of those that killed writers left.

A name contains the process that writes the file. So the next writer on the same machine removes the
file of a killed one at once. On another machine, only the age of a file can show that.
"""

import glob
import hashlib
import math
import os
import platform
import re
import secrets
import shutil
import time
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

TEMP_PREFIX = ".tmp-"
STALE_SECONDS = 3600.0

_SUFFIX = re.compile(r"-(?P<machine>[0-9a-f]{8})(?P<process>[0-9a-f]{8})[0-9a-f]{8}$")
_SUFFIX_DIGITS = 24


def temp_path_for(path: Path) -> Path:
    """Return an unused temporary path in the directory of `path`; readers ignore such names."""
    suffix = f"{_machine()}{os.getpid():08x}{secrets.token_hex(4)}"
    return path.parent / f"{TEMP_PREFIX}{path.name}-{suffix}"


def remove_stale_temp_files(directory: Path, *, older_than: float = math.inf) -> None:
    """Remove the temporary files that killed writers left in a directory.

    Args:
        directory: Directory to clean; it need not exist.
        older_than: Age in seconds at which files of other machines are stale, too. It must exceed
            the time of any write.
    """
    now = time.time()
    for path in directory.glob(f"{TEMP_PREFIX}*"):
        with suppress(FileNotFoundError):
            if _writer_is_dead(path.name) or now - path.lstat().st_mtime >= older_than:
                _remove(path)


def remove_temp_files_of(path: Path) -> None:
    """Remove the temporary files of killed writers of `path`; no process may be writing it."""
    pattern = f"{TEMP_PREFIX}{glob.escape(path.name)}-{'?' * _SUFFIX_DIGITS}"
    for temporary in path.parent.glob(pattern):
        _remove(temporary)


def _writer_is_dead(name: str) -> bool:
    """Return True if a process of this machine wrote the file and has ended."""
    match = _SUFFIX.search(name)
    if match is None or match["machine"] != _machine():
        return False
    try:
        os.kill(int(match["process"], 16), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


@cache
def _machine() -> str:
    """Return an identifier of the running system in which process IDs are unique.

    Containers of one host have their own process IDs, and can have the same host name.
    """
    try:
        system = Path("/proc/sys/kernel/random/boot_id").read_text()
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  # it is no path
    except OSError:
        system, namespace = platform.node(), str(uuid.getnode())
    return hashlib.sha256(f"{system}{namespace}".encode()).hexdigest()[:8]


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
