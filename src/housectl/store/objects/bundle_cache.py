"""The local cache of bundles. It can be deleted at any time, and any failure of it is a miss."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from housectl.contract.bundle import Bundle, read_bundle
from housectl.contract.bundle_record import BUNDLE_FILE
from housectl.contract.files import atomic_directory, remove_tree, write_and_sync
from housectl.contract.record import MalformedRecordError, Record
from housectl.contract.regular_files import read_regular
from housectl.contract.temp_files import TEMP_PREFIX
from housectl.errors import HousectlError

MAX_CACHE_BYTES = 2**30

_ORIGIN_FILE = "origin.json"


class Origin(Record, kw_only=True):
    """Origin of a cached bundle.

    Attributes:
        store: URL of the store.
        etags: Etag of each file when it was read.
    """

    store: str
    etags: dict[str, str]


@dataclass(frozen=True)
class BundleCache:
    """Bundles in directories that are named after their digests, up to a total size."""

    path: Path

    def get(self, digest: str, origin: Origin) -> Bundle | None:
        """Return a bundle if every byte is right and the store has not changed since.

        An entry that differs is removed.
        """
        directory = self.path / digest
        try:
            if Origin.from_json(read_regular(directory / _ORIGIN_FILE)) == origin:
                bundle = read_bundle(directory, expected=digest)
                os.utime(directory)
                return bundle
        except (OSError, MalformedRecordError, HousectlError):
            pass
        self._remove(directory)
        return None

    def add(self, bundle: Bundle, origin: Origin) -> None:
        """Keep a bundle, and remove the least recently used ones above the limit."""
        files = {
            **bundle.content,
            BUNDLE_FILE: bundle.record.to_json(),
            _ORIGIN_FILE: origin.to_json(),
        }
        with suppress(OSError, HousectlError):
            with atomic_directory(self.path / bundle.digest) as directory:
                for name, data in files.items():
                    write_and_sync(directory / name, data)
            self._trim()

    def _trim(self) -> None:
        total = 0
        for directory in sorted(self._directories(), key=_last_use, reverse=True):
            total += sum(file.stat().st_size for file in directory.iterdir())
            if total > MAX_CACHE_BYTES:
                self._remove(directory)

    def _directories(self) -> list[Path]:
        return [path for path in self.path.iterdir() if not path.name.startswith(TEMP_PREFIX)]

    def _remove(self, directory: Path) -> None:
        with suppress(OSError):
            remove_tree(directory)


def _last_use(directory: Path) -> float:
    return directory.stat().st_mtime
