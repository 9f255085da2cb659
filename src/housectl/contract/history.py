"""The history of champions: a chain of entries, of which the newest names the champion."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar

from housectl.contract.path_names import Digest
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, Record


class Action(StrEnum):
    """Kind of a change of champion."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"


class HistoryEntry(Record, kw_only=True):
    """One change of champion.

    Attributes:
        number: 1 for the first entry.
        previous: sha256 of the bytes of the entry before; None for the first.
        bundle: Digest of the bundle that became the champion.
        at: Time in UTC, ISO 8601.
        by: Author of the change, as user@host.
        reason: The verdict's sentence, or the reason of the rollback.
        holdout_mse: MSE of the bundle on the held-out rows.
        nonce: Random text, which makes the bytes of each entry unique; None in format 1.
    """

    newest_version: ClassVar[int] = 2

    schema_version: int = newest_version
    number: int
    previous: str | None
    action: Action
    bundle: Digest
    at: str
    by: str
    reason: str
    holdout_mse: float
    nonce: str | None = None

    def __post_init__(self) -> None:
        """Check that only entries of format 1 have no nonce."""
        if (self.nonce is None) != (self.schema_version == SCHEMA_VERSION):
            raise ValueError(f"an entry of format {self.schema_version} with nonce {self.nonce!r}")

    @property
    def time(self) -> datetime:
        """Time of the change."""
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True)
class History:
    """All history entries at one moment, the oldest first.

    Attributes:
        newest_hash: sha256 of the bytes of the newest entry; None without entries.
    """

    entries: tuple[HistoryEntry, ...] = ()
    newest_hash: str | None = None

    @classmethod
    def of(cls, chain: Iterable[tuple[HistoryEntry, str]]) -> "History":
        """Return the history of entries with the hash of each."""
        entries_and_hashes = tuple(chain)
        if not entries_and_hashes:
            return cls()
        entries, hashes = zip(*entries_and_hashes, strict=True)
        return cls(entries, hashes[-1])

    def until(self, number: int) -> "History":
        """Return the history as it was when the entry with this number was the newest."""
        if number >= len(self.entries):
            return self
        return History(self.entries[:number], self.entries[number].previous)

    @property
    def champion(self) -> HistoryEntry | None:
        """The newest entry; None without entries."""
        return self.entries[-1] if self.entries else None


def parse_entry(data: bytes, number: int) -> HistoryEntry:
    """Return the entry with this number from its JSON.

    Raises:
        MalformedRecordError: The data is not an entry, or has another number.
        NewerFormatError: A newer housectl wrote the entry.
    """
    entry = HistoryEntry.from_json(data)
    if entry.number != number:
        raise MalformedRecordError(f"its number is {entry.number} instead of {number}")
    try:
        has_zone = entry.time.tzinfo is not None
    except ValueError as error:
        raise MalformedRecordError(str(error)) from error
    if not has_zone:
        raise MalformedRecordError(f"its time {entry.at!r} has no time zone")
    return entry


def earlier_champions(history: Iterable[HistoryEntry]) -> tuple[str, ...]:
    """Return the digests of the champions to roll back to, the latest first.

    A rollback takes back each promotion after the restored champion. So the next rollback leads
    further back, never to a champion that was rolled back.
    """
    champions: list[str] = []
    for entry in history:
        if entry.action is Action.ROLLBACK and entry.bundle in champions:
            while champions[-1] != entry.bundle:
                champions.pop()
        else:
            champions.append(entry.bundle)
    *earlier, champion = champions or [""]
    return tuple(digest for digest in reversed(earlier) if digest != champion)


def clock_warnings(history: Sequence[HistoryEntry], *, since: int = 1) -> tuple[str, ...]:
    """Return a sentence for each entry, from number `since` on, that is older than the one before.

    The order of the entries is right all the same: it comes from their numbers.
    """
    return tuple(
        f"The clock ran backwards: history entry {later.number} has the time {later.at}, and entry "
        f"{earlier.number} has {earlier.at}."
        for earlier, later in pairwise(history)
        if later.number >= since and later.time < earlier.time
    )
