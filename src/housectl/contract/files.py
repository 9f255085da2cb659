"""Durable files: a file with its final name is complete, also after kill -9 or a power cut."""

import errno
import hashlib
import os
import shlex
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from housectl.contract.disks import describe_disk
from housectl.contract.regular_files import open_regular
from housectl.contract.temp_files import (
    STALE_SECONDS,
    TEMP_PREFIX,
    remove_stale_temp_files,
    temp_path_for,
)
from housectl.errors import LocalEnvironmentError

_PART_BYTES = 2**18
_HINTS = {
    errno.ENOSPC: "df -h {path}   # free some space, then run the same command again",
    errno.EDQUOT: "quota -s   # free some of your quota, then run the same command again",
    errno.EROFS: "mount | grep -w ro   # the file system is read-only",
    errno.EACCES: "ls -ld {path}   # shows the permissions; you need write permission",
    errno.EPERM: "ls -ld {path}   # shows the permissions; you need write permission",
}


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with open_regular(path) as file:
        return stream_digest(file)


def stream_digest(file: BinaryIO) -> str:
    """Return the sha256 of the rest of an open file, in hexadecimal."""
    digest = hashlib.sha256()
    while part := file.read(_PART_BYTES):
        digest.update(part)
    return digest.hexdigest()


@contextmanager
def translate_disk_errors(path: Path) -> Iterator[None]:
    """Translate an OSError of writing `path` into a LocalEnvironmentError with a hint."""
    try:
        yield
    except OSError as error:
        existing = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
        hint = _HINTS.get(error.errno or 0, "ls -ld {path}").format(path=shlex.quote(str(existing)))
        full = error.errno == errno.ENOSPC
        cause = f"{error.strerror}: {describe_disk(existing)}" if full else error.strerror
        raise LocalEnvironmentError(f"Cannot write {path}: {cause}.", hint=hint) from error


def atomic_write(path: Path, data: bytes, *, keeps_permissions: bool = False) -> None:
    """Write `data` to `path` under a temporary name, fsync it, rename it.

    Args:
        path: The file.
        data: Its new content.
        keeps_permissions: True to keep the mode and, if possible, the owner of an existing file.

    Raises:
        LocalEnvironmentError: The disk is full, read-only or not writable.
    """
    with _temp_file_for(path, data) as temporary:
        if keeps_permissions and path.exists():
            _copy_permissions(path, temporary)
        temporary.replace(path)


def atomic_create(path: Path, data: bytes) -> bool:
    """Write a new file under a temporary name, fsync it, and link it to `path`.

    Returns:
        False if `path` exists; the existing file is kept.

    Raises:
        LocalEnvironmentError: The disk is full, read-only or not writable.
    """
    with _temp_file_for(path, data) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
    return True


def write_and_sync(path: Path, data: bytes) -> None:
    """Write a new file and fsync it."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def copy_and_sync(source: BinaryIO, path: Path) -> None:
    """Write the rest of an open file to a new file, in parts, and fsync it."""
    with path.open("xb") as file:
        shutil.copyfileobj(source, file, _PART_BYTES)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Yield a temporary directory that is atomically renamed to `path` if the block succeeds.

    If another process has created `path` in the meantime, its directory is kept.

    Raises:
        LocalEnvironmentError: The disk is full, read-only or not writable.
    """
    temporary = temp_path_for(path)
    with translate_disk_errors(path):
        remove_stale_temp_files(path.parent)
        temporary.mkdir(parents=True)
        try:
            yield temporary
            sync_tree(temporary)
            _rename_unless_exists(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def sync_tree(top: Path) -> None:
    """Fsync every file and directory below `top`."""
    for directory, _, names in os.walk(top):
        for name in names:
            _sync(Path(directory, name))
        sync_directory(Path(directory))


def sync_directory(path: Path) -> None:
    """Fsync the names in a directory."""
    _sync(path)


@contextmanager
def temp_directory_in(parent: Path) -> Iterator[Path]:
    """Yield a new directory in `parent`, which is created if needed; remove it after the block."""
    parent.mkdir(parents=True, exist_ok=True)
    remove_stale_temp_files(parent, older_than=STALE_SECONDS)
    with TemporaryDirectory(prefix=TEMP_PREFIX, dir=parent) as name:
        yield Path(name)


def remove_tree(path: Path) -> None:
    """Remove a directory, if it exists, without exposing a partly removed one."""
    temporary = temp_path_for(path)
    try:
        path.rename(temporary)
    except FileNotFoundError:
        return
    shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def atomic_stream(path: Path) -> Iterator[BinaryIO]:
    """Yield a temporary file that is synced and renamed to `path` if the block succeeds.

    Raises:
        LocalEnvironmentError: The disk is full, read-only or not writable.
    """
    with translate_disk_errors(path):
        remove_stale_temp_files(path.parent)
        temporary = temp_path_for(path)
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_directory(path.parent)


@contextmanager
def _temp_file_for(path: Path, data: bytes) -> Iterator[Path]:
    """Yield a synced temporary file for `path`; afterwards remove it and fsync the directory."""
    with translate_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_stale_temp_files(path.parent)
        temporary = temp_path_for(path)
        try:
            write_and_sync(temporary, data)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)
        sync_directory(path.parent)


def _copy_permissions(source: Path, target: Path) -> None:
    """Give a file the mode of another one and, if possible, its group and owner."""
    status = source.stat()
    for owner, group in ((-1, status.st_gid), (status.st_uid, -1)):
        with suppress(PermissionError):  # a user without privileges may not give a file away
            os.chown(target, owner, group)
    target.chmod(stat.S_IMODE(status.st_mode))


def _rename_unless_exists(temporary: Path, path: Path) -> None:
    try:
        temporary.rename(path)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
    else:
        sync_directory(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
