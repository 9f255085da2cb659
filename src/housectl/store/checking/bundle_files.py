"""The files of one bundle in a store: read with every byte checked, or with each invalid file."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from housectl.contract.bundle import load_bundle, max_file_bytes
from housectl.contract.bundle_record import BUNDLE_FILE, BundleRecord
from housectl.errors import BundleError, NewerFormatError
from housectl.store.checking.problems import ProblemKind, cause_of
from housectl.store.layout import bundle_key
from housectl.store.storage import FileStorage


def read_bundle_files(store: FileStorage, digest: str) -> Mapping[str, bytes]:
    """Return the stored bytes of a bundle's files by name, the record last.

    Raises:
        BundleError: The bundle is missing or altered.
        NewerFormatError: A newer housectl wrote the bundle.
    """
    files: dict[str, bytes] = {}

    def read(name: str, limit: int) -> bytes:
        files[name] = store._read(f"{bundle_key(digest)}/{name}", limit=limit)
        return files[name]

    load_bundle(read, location=store.location(bundle_key(digest)), expected=digest)
    record = files.pop(BUNDLE_FILE)
    return {**files, BUNDLE_FILE: record}


def is_valid_bundle(store: FileStorage, digest: str) -> bool:
    """Return True if every byte of a bundle is as recorded."""
    try:
        read_bundle_files(store, digest)
    except (BundleError, NewerFormatError):
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class InvalidFile:
    """An invalid or missing file of a bundle."""

    kind: ProblemKind
    name: str
    cause: str


def invalid_files(store: FileStorage, digest: str) -> Iterator[InvalidFile]:
    """Yield each missing or altered file of a bundle whose record is valid.

    Raises:
        OSError, MalformedRecordError, NewerFormatError: The record is invalid.
    """
    record = _read_record(store, digest)
    for name, sha256 in record.files.items():
        try:
            data = store._read(f"{bundle_key(digest)}/{name}", limit=max_file_bytes(name))
        except OSError as error:
            is_missing = isinstance(error, FileNotFoundError)
            kind = ProblemKind.MISSING if is_missing else ProblemKind.INVALID
            yield InvalidFile(kind=kind, name=name, cause=cause_of(error))
        else:
            if hashlib.sha256(data).hexdigest() != sha256:
                yield InvalidFile(kind=ProblemKind.INVALID, name=name, cause="it was altered")


def _read_record(store: FileStorage, digest: str) -> BundleRecord:
    key = f"{bundle_key(digest)}/{BUNDLE_FILE}"
    return BundleRecord.from_json(store._read(key, limit=max_file_bytes(BUNDLE_FILE)))
