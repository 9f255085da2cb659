"""The champion store in an object store: S3, Google Cloud Storage or Azure."""

import hashlib
import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import BUNDLE_FILE
from housectl.contract.regular_files import MAX_RECORD_BYTES
from housectl.errors import ConcurrentUpdateError, LocalEnvironmentError, ObjectStoreError
from housectl.store.address import RemoteAddress
from housectl.store.base import ChampionStore
from housectl.store.layout import bundle_key, entry_key, file_number
from housectl.store.objects.bundle_cache import BundleCache, Origin
from housectl.store.objects.client import ObjectClient, connect
from housectl.store.objects.entry_cache import EntryCache
from housectl.store.objects.shell_commands import (
    list_command,
    remove_command,
    remove_folder_command,
)
from housectl.store.storage import StoredFile

_CREATE_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
# A restored backup has no next entry either, so a server also asks for the entry that it knows.
_KNOWN_ENTRY_PERIOD = 16


def open_object_store(address: RemoteAddress, *, cache: Path | None) -> ChampionStore:
    """Return the champion store with this address.

    Args:
        address: Address of the store.
        cache: Directory for copies of its files; None keeps them in memory.

    Raises:
        LocalEnvironmentError: The library of object stores is missing.
        ObjectStoreError: The configuration is invalid.
    """
    if importlib.util.find_spec("obstore") is None:
        raise LocalEnvironmentError(
            f"The store {address} cannot be used: the library obstore is missing.",
            hint="python -m pip install 'housectl[cloud]'",
        )
    name = hashlib.sha256(str(address).encode()).hexdigest()[:16]
    return ObjectStore(
        connect(address),
        bundles=BundleCache(cache / "bundles") if cache else None,
        entries=EntryCache(cache / "history" / name if cache else None),
    )


@dataclass(frozen=True)
class ObjectStore(ChampionStore):
    """Champion store in a bucket: creates by conditional requests, and replaces whole objects.

    Attributes:
        bundles: Local cache of bundles; None without one.
        entries: Cache of history entries.
    """

    client: ObjectClient
    bundles: BundleCache | None = None
    entries: EntryCache = field(default_factory=lambda: EntryCache(None))
    _polls: Iterator[int] = field(default_factory=lambda: count(1), init=False)

    def location(self, key: str = "") -> str:
        """Return the URL of a key; of the whole store by default."""
        return f"{self.client.address}/{key}".rstrip("/")

    def history_revision(self, newest: int) -> object:
        """Return a value that changes when an entry is added. It costs one request.

        Every sixteenth request is for the known entry instead of the next one.
        """
        if newest and next(self._polls) % _KNOWN_ENTRY_PERIOD == 0:
            known = self.client.head(entry_key(newest))
            is_unchanged = known is not None and self.entries.get(known) is not None
            return newest if is_unchanged else known
        return newest + 1 if self._exists(entry_key(newest + 1)) else newest

    def bundle(self, digest: str) -> Bundle:
        """Return a bundle, with every byte checked.

        One listing shows whether the copy in the cache is up to date.

        Raises:
            BundleError: The bundle is missing or altered.
        """
        key = bundle_key(digest)
        if self.bundles is None or (origin := self._origin(key)) is None:
            return super().bundle(digest)
        if cached := self.bundles.get(digest, origin):
            return replace(cached, location=self.location(key))
        bundle = super().bundle(digest)
        self.bundles.add(bundle, origin)
        return bundle

    def _origin(self, key: str) -> Origin | None:
        """Return the etags of a folder's files; None if the server has none."""
        etags = {file.key: file.etag for file in self.client.list(key)}
        known = {name: etag for name, etag in etags.items() if etag is not None}
        return Origin(store=self.location(), etags=known) if known == etags else None

    def _uri(self, key: str) -> str:
        return self.location(key)

    def _exists(self, key: str) -> bool:
        return self.client.head(key) is not None

    def _folder_exists(self, key: str) -> bool:
        return self._exists(f"{key}/{BUNDLE_FILE}")

    def _revisions(self, folder: str) -> Mapping[str, object]:
        revisions: dict[str, object] = {}
        for file in self.client.list(folder):
            name, _, below = file.key.removeprefix(f"{folder}/").partition("/")
            revisions[name] = file.etag if not below else None
        return revisions

    def _files(self) -> Iterator[StoredFile]:
        for file in self.client.list():
            yield StoredFile(key=file.key, size=file.size)

    def _numbered_files(self, folder: str) -> Mapping[int, Callable[[], bytes]]:
        """Return readers of the files, whose contents are read now unless the cache has them."""
        files = {
            number: file
            for file in self.client.list(folder)
            if (number := file_number(file.key.removeprefix(f"{folder}/")))
        }
        contents = self.entries.read_all(files.values(), self._read)
        return {
            number: partial(_raise_or_return, contents[file.key]) for number, file in files.items()
        }

    def _read(self, key: str, *, limit: int = MAX_RECORD_BYTES) -> bytes:
        return self.client.get(key, limit=limit)

    def _write(self, key: str, data: bytes) -> None:
        self.client.put(key, data)

    def _create(self, key: str, data: bytes) -> bool:
        """Create an object.

        An existing object may be our own: the client repeats a request whose answer was lost. It
        may also be absent: the server refuses a request while another one is in progress.
        """
        for pause in _CREATE_PAUSES:
            try:
                etag = self.client.create(key, data)
            except FileExistsError:
                if (is_ours := self._has_content(key, data)) is not None:
                    return is_ours
                time.sleep(pause)
            except ObjectStoreError:
                if self._has_content(key, data):
                    return True
                raise
            else:
                self.entries.add(key, etag, data)
                return True
        raise ConcurrentUpdateError(
            f"The object {self.location(key)} cannot be created: other requests to create it are "
            "in progress.",
            hint=f"{self._list_command(key)}   # if it is missing, run the same command again",
        )

    def _create_folder(self, key: str, files: Mapping[str, bytes]) -> None:
        """Write a folder, whose last file makes it complete. Other writers write the same files."""
        *others, last = files
        for name in others:
            self._write(f"{key}/{name}", files[name])
        self._create(f"{key}/{last}", files[last])

    def _delete(self, key: str) -> None:
        self.client.delete(key)

    def _remove_stale_files(self) -> None:
        """Do nothing: an object store has no temporary files."""

    def _list_command(self, key: str) -> str:
        return list_command(self.client.address, key)

    def _remove_command(self, *keys: str) -> str:
        return remove_command(self.client.address, *keys)

    def _remove_folder_command(self, key: str) -> str:
        return remove_folder_command(self.client.address, key)

    def _has_content(self, key: str, data: bytes) -> bool | None:
        """Return True if an object has this content; None if it is missing."""
        try:
            return self._read(key, limit=len(data)) == data
        except FileNotFoundError:
            return None
        except OSError:
            return False  # It is larger.


def _raise_or_return(content: bytes | OSError) -> bytes:
    if isinstance(content, OSError):
        raise content
    return content
