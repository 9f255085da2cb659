"""The champion store in a local directory, or on a volume that is mounted as one."""

import errno
import os
import shlex
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from housectl.contract.files import (
    atomic_create,
    atomic_directory,
    atomic_write,
    translate_disk_errors,
    write_and_sync,
)
from housectl.contract.regular_files import MAX_RECORD_BYTES, read_regular
from housectl.contract.temp_files import STALE_SECONDS, TEMP_PREFIX, remove_stale_temp_files
from housectl.errors import LocalEnvironmentError
from housectl.store.base import ChampionStore
from housectl.store.layout import COMPARISONS, FOLDERS, HISTORY, entry_key, file_number
from housectl.store.storage import FileKind, StoredFile

_MAX_DEPTH = len(("bundles", "<digest>", "bundle.json"))


@dataclass(frozen=True)
class LocalStore(ChampionStore):
    """Champion store in a directory: creates by link(2), replaces by rename(2), and syncs both."""

    path: Path

    def location(self, key: str = "") -> str:
        """Return the path of a key; of the whole store by default."""
        return str(self.path / key)

    def history_revision(self, newest: int) -> object:  # noqa: ARG002
        """Return a value that changes when an entry is added, removed or replaced.

        It costs one listing and one read. The bytes of the newest entry are part of the value,
        because the times of files can be too coarse to show that an entry was replaced.

        Args:
            newest: Not used, because entries can also be removed.

        Raises:
            HistoryError: The newest entry cannot be read.
        """
        revisions = self._revisions(HISTORY)
        last = max(filter(None, map(file_number, revisions)), default=None)
        read = partial(self._read, entry_key(last or 0))
        return revisions, self._read_entry(last, read) if last else None

    def _uri(self, key: str) -> str:
        return (self.path / key).absolute().as_uri()

    def _folder_exists(self, key: str) -> bool:
        with self._translate_read_errors():
            return (self.path / key).exists()

    def _revisions(self, folder: str) -> Mapping[str, object]:
        try:
            with self._translate_read_errors(), os.scandir(self.path / folder) as files:
                return {
                    file.name: _revision(file.stat(follow_symlinks=False))
                    for file in files
                    if not file.name.startswith(TEMP_PREFIX)
                }
        except FileNotFoundError:
            return {}

    def _files(self) -> Iterator[StoredFile]:
        with self._translate_read_errors():
            if self.path.exists():
                yield from _files_below(self.path, prefix="", depth=1)

    def _numbered_files(self, folder: str) -> Mapping[int, Callable[[], bytes]]:
        return {
            number: partial(self._read, f"{folder}/{name}")
            for name in self._names(folder)
            if (number := file_number(name))
        }

    def _read(self, key: str, *, limit: int = MAX_RECORD_BYTES) -> bytes:
        path = self.path / key
        if path.is_symlink():
            # A link could lead outside the store.
            raise OSError(errno.ELOOP, "A link instead of a file", str(path))
        return read_regular(path, limit=limit)

    @contextmanager
    def _translate_read_errors(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise LocalEnvironmentError(
                f"The store {self.path} cannot be read: {error.strerror}.",
                hint=f"ls -ld {shlex.quote(str(self.path))}   # HOUSECTL_STORE names another one",
            ) from error

    def _write(self, key: str, data: bytes) -> None:
        atomic_write(self.path / key, data)

    def _create(self, key: str, data: bytes) -> bool:
        return atomic_create(self.path / key, data)

    def _create_folder(self, key: str, files: Mapping[str, bytes]) -> None:
        with atomic_directory(self.path / key) as directory:
            for name, data in files.items():
                write_and_sync(directory / name, data)

    def _delete(self, key: str) -> None:
        with translate_disk_errors(self.path / key):
            (self.path / key).unlink(missing_ok=True)

    def _remove_stale_files(self) -> None:
        folders = [self.path / folder for folder in FOLDERS]
        for folder in (*folders, *(self.path / COMPARISONS).glob("[!.]*")):
            remove_stale_temp_files(folder, older_than=STALE_SECONDS)

    def _list_command(self, key: str) -> str:
        return f"ls -l {shlex.quote(self.location(key))}"

    def _remove_command(self, *keys: str) -> str:
        return shlex.join(("rm", "-f", *map(self.location, keys)))

    def _remove_folder_command(self, key: str) -> str:
        return shlex.join(("rm", "-rf", self.location(key)))


def _revision(status: os.stat_result) -> object:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _files_below(directory: Path, *, prefix: str, depth: int) -> Iterator[StoredFile]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if not entry.name.startswith(TEMP_PREFIX):
                yield from _files_of(entry, key=f"{prefix}{entry.name}", depth=depth)


def _files_of(entry: "os.DirEntry[str]", *, key: str, depth: int) -> Iterator[StoredFile]:
    """Yield a file, or the files below a directory."""
    if not entry.is_dir(follow_symlinks=False) or depth == _MAX_DEPTH:
        with suppress(FileNotFoundError):
            yield _stored_file(key, entry.stat(follow_symlinks=False))
        return
    files = _files_below(Path(entry.path), prefix=f"{key}/", depth=depth + 1)
    try:
        first = next(files, None)
    except OSError:
        yield StoredFile(key=key, size=0, kind=FileKind.UNREADABLE_DIRECTORY)
        return
    yield first or StoredFile(key=key, size=0, kind=FileKind.EMPTY_DIRECTORY)
    yield from files


def _stored_file(key: str, status: os.stat_result) -> StoredFile:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return StoredFile(key=key, size=status.st_size)
    kinds = {stat.S_IFLNK: FileKind.LINK, stat.S_IFDIR: FileKind.DIRECTORY}
    return StoredFile(key=key, size=0, kind=kinds.get(stat.S_IFMT(mode), FileKind.SPECIAL))
