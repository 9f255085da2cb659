"""The history of champions: a chain of entries, of which the newest names the champion."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, ClassVar

from msgspec import UNSET, Meta, UnsetType, structs

from housectl.contract.path_names import Digest
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, Record

MAX_OVERRIDE_LENGTH = 1000

_WITH_NONCE = 2
_WITH_OVERRIDE = 3


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
        override: Reason of a promotion against the verdict. Only such entries have format 3, so
            earlier versions of housectl can read all others.
    """

    newest_version: ClassVar[int] = _WITH_OVERRIDE

    schema_version: int = _WITH_NONCE
    number: int
    previous: str | None
    action: Action
    bundle: Digest
    at: str
    by: str
    reason: str
    holdout_mse: float
    nonce: str | None = None
    override: Annotated[str, Meta(max_length=MAX_OVERRIDE_LENGTH, pattern=r"\S")] | UnsetType = (
        UNSET
    )

    def __post_init__(self) -> None:
        """Check that the format has exactly the fields of the entry."""
        if (self.nonce is None) != (self.schema_version == SCHEMA_VERSION):
            raise ValueError(f"an entry of format {self.schema_version} with nonce {self.nonce!r}")
        if (self.override is UNSET) != (self.schema_version < _WITH_OVERRIDE):
            raise ValueError(f"format {self.schema_version} with the override {self.override!r}")
        if self.override is not UNSET and self.action is not Action.PROMOTION:
            raise ValueError(f"a {self.action} with an override")

    def with_override(self, reason: str) -> "HistoryEntry":
        """Return this entry as that of a promotion against the verdict."""
        return structs.replace(self, schema_version=_WITH_OVERRIDE, override=reason)

    @property
    def override_reason(self) -> str | None:
        """Reason of a promotion against the verdict; None for other changes."""
        return None if self.override is UNSET else self.override

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

    @property
    def champion_override(self) -> str | None:
        """Reason with which the champion was promoted against the verdict; None otherwise."""
        return override_of(self.champion.bundle, self.entries) if self.champion else None


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


def override_of(bundle: str, history: Sequence[HistoryEntry]) -> str | None:
    """Return the reason with which a bundle was promoted against the verdict; None otherwise.

    The last promotion of the bundle counts, because a rollback restores its result.
    """
    for entry in reversed(history):
        if entry.bundle == bundle and entry.action is Action.PROMOTION:
            return entry.override_reason
    return None


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
