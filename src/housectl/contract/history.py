"""The history of champions: a chain of entries, of which the newest names the champion."""

import hashlib
from enum import StrEnum
from pathlib import Path

from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, Record
from housectl.errors import HistoryError


class Action(StrEnum):
    """Why a bundle became the champion."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"


class HistoryEntry(Record, kw_only=True):
    """One change of champion.

    Attributes:
        number: 1 for the first.
        previous: sha256 of the bytes of the entry before; None for the first.
        bundle: Digest of the bundle that became the champion.
        at: Time in UTC, ISO 8601.
        by: Who did it, as user@host.
        reason: The verdict's sentence, or why it was rolled back.
        holdout_mse: That of the bundle.
    """

    schema_version: int = SCHEMA_VERSION
    number: int
    previous: str | None
    action: Action
    bundle: str
    at: str
    by: str
    reason: str
    holdout_mse: float


def entry_path(store: Path, number: int) -> Path:
    """Return where an entry of the history lies."""
    return store / "history" / f"{number}.json"


def bundle_path(store: Path, digest: str) -> Path:
    """Return where a bundle lies."""
    return store / "bundles" / digest


def newest_number(store: Path, *, known: int = 0) -> int:
    """Return the number of the newest entry, 0 without any; one stat when it is still `known`."""
    number = known
    while entry_path(store, number + 1).exists():
        number += 1
    return number


def read_entry(store: Path, number: int) -> HistoryEntry:
    """Read one entry.

    Raises:
        HistoryError: It is missing, damaged, or has another number.
    """
    return _parse(_read(store, number), entry_path(store, number), number)


def read_history(store: Path) -> tuple[HistoryEntry, ...]:
    """Read all entries, the oldest first, and check that each carries the hash of the one before.

    Raises:
        HistoryError: An entry is damaged, or the chain is broken.
    """
    entries = []
    previous = None
    for number in range(1, newest_number(store) + 1):
        data = _read(store, number)
        entry = _parse(data, entry_path(store, number), number)
        if entry.previous != previous:
            raise _invalid(entry_path(store, number), "it does not follow from the entry before")
        entries.append(entry)
        previous = hashlib.sha256(data).hexdigest()
    return tuple(entries)


def _read(store: Path, number: int) -> bytes:
    path = entry_path(store, number)
    try:
        return path.read_bytes()
    except OSError as error:
        raise _invalid(path, error.strerror or str(error)) from error


def _parse(data: bytes, path: Path, number: int) -> HistoryEntry:
    try:
        entry = HistoryEntry.from_json(data)
    except MalformedRecordError as error:
        raise _invalid(path, str(error)) from error
    if entry.number != number:
        raise _invalid(path, f"it says that it is number {entry.number}")
    return entry


def _invalid(path: Path, why: str) -> HistoryError:
    return HistoryError(
        f"The history entry {path} cannot be trusted: {why}.",
        hint=f"ls -l {path.parent}   # bring the store back from a backup",
    )
