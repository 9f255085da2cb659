"""The cache of history entries: their bytes by name and etag, in memory and in a local file.

The file can be deleted at any time, and any failure of it is a miss.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from housectl.contract.files import atomic_write
from housectl.contract.regular_files import read_regular
from housectl.errors import HousectlError
from housectl.store.layout import HISTORY
from housectl.store.objects.client import StoredObject

MAX_CACHE_BYTES = 64 * 2**20

_CHECKSUM_BYTES = hashlib.sha256().digest_size
_READERS = 16

# Etag and content.
_Entry = tuple[str, bytes]


@dataclass
class EntryCache:
    """Contents of history entries by key, each with its etag.

    Attributes:
        path: The local file; None keeps the contents in memory only.
    """

    path: Path | None
    _entries: Mapping[str, _Entry] | None = field(default=None, init=False)

    def get(self, file: StoredObject) -> bytes | None:
        """Return the content of a file; None if it is unknown or has changed."""
        etag, content = self._known.get(file.key, (None, b""))
        return content if etag is not None and etag == file.etag else None

    def add(self, key: str, etag: str | None, content: bytes) -> None:
        """Keep the content of a new entry."""
        if etag is not None and key.startswith(f"{HISTORY}/"):
            self._keep({**self._known, key: (etag, content)})

    def read_all(
        self, files: Collection[StoredObject], read: Callable[[str], bytes]
    ) -> Mapping[str, bytes | OSError]:
        """Return the content of each file by key, or the error of reading it.

        Args:
            files: All entries of the store; the cache keeps no others.
            read: Reads the content of a key that is not in the cache; threads call it.
        """
        known = {file.key: content for file in files if (content := self.get(file)) is not None}
        missing = [file.key for file in files if file.key not in known]
        contents = {**known, **_read_in_parallel(missing, read)}
        self._keep(
            {
                file.key: (file.etag, data)
                for file in files
                if file.etag is not None and isinstance(data := contents[file.key], bytes)
            }
        )
        return contents

    @property
    def _known(self) -> Mapping[str, _Entry]:
        if self._entries is None:
            self._entries = _read_file(self.path) if self.path else {}
        return self._entries

    def _keep(self, entries: Mapping[str, _Entry]) -> None:
        changed = entries != self._known
        self._entries = entries
        if changed and self.path:
            _write_file(self.path, entries)


def _read_in_parallel(
    keys: Sequence[str], read: Callable[[str], bytes]
) -> Mapping[str, bytes | OSError]:
    def content_or_error(key: str) -> bytes | OSError:
        try:
            return read(key)
        except OSError as error:
            return error

    if not keys:
        return {}
    with ThreadPoolExecutor(min(_READERS, len(keys))) as readers:
        return dict(zip(keys, readers.map(content_or_error, keys), strict=True))


def _read_file(path: Path) -> dict[str, _Entry]:
    try:
        data = read_regular(path, limit=MAX_CACHE_BYTES)
        checksum, content = data[:_CHECKSUM_BYTES], data[_CHECKSUM_BYTES:]
        if hashlib.sha256(content).digest() == checksum:
            return msgspec.msgpack.decode(content, type=dict[str, _Entry])
    except (OSError, msgspec.DecodeError):
        pass
    return {}


def _write_file(path: Path, entries: Mapping[str, _Entry]) -> None:
    content = msgspec.msgpack.encode(entries)
    if len(content) + _CHECKSUM_BYTES <= MAX_CACHE_BYTES:
        with suppress(OSError, HousectlError):
            atomic_write(path, hashlib.sha256(content).digest() + content)
