"""The history part of a champion store: reading the whole chain of entries, and adding to it.

The newest entry names the champion. A promotion creates the next entry, which fails if the entry
exists: compare-and-set without locks, and `kill -9` leaves nothing stale.
"""

import getpass
import hashlib
import os
import socket
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import SHORT_DIGEST
from housectl.contract.history import Action, History, HistoryEntry, parse_entry
from housectl.contract.record import MalformedRecordError, new_nonce
from housectl.errors import (
    ConcurrentUpdateError,
    HistoryError,
    HousectlError,
    NoChampionError,
    UsageError,
)
from housectl.store.layout import HISTORY, bundle_key, entry_key, file_number
from housectl.store.storage import FileStorage


class HistoryStore(FileStorage):
    """The history of champions. Every read checks the whole chain, because nothing else could."""

    def history(self) -> tuple[HistoryEntry, ...]:
        """Return all history entries, the oldest first.

        Raises:
            HistoryError: An entry is missing or invalid, or lacks the hash of the entry before.
        """
        return self.read_history().entries

    def read_history(self) -> History:
        """Return the history with the hash of its newest entry, as `commit` needs it.

        Raises:
            HistoryError: An entry is missing or invalid, or lacks the hash of the entry before.
        """
        return History.of(self._chain())

    @abstractmethod
    def history_revision(self, newest: int) -> object:
        """Return a value that changes when an entry is added to the history.

        Args:
            newest: Number of the newest known entry; 0 without one.

        Raises:
            HousectlError: The store is unavailable, or its newest entry is invalid.
        """

    def champion(self) -> HistoryEntry | None:
        """Return the champion: the newest history entry; None without entries."""
        return self.read_history().champion

    def require_champion(self) -> HistoryEntry:
        """Return the champion.

        Raises:
            NoChampionError: The store has no champion yet.
        """
        return self.require_history().entries[-1]

    def require_history(self) -> History:
        """Return the history, which has at least one entry.

        Raises:
            NoChampionError: The store has no champion yet.
        """
        history = self.read_history()
        if not history.entries:
            raise NoChampionError(
                f"The store {self.location()} has no champion yet.",
                hint="housectl promote   # after `housectl tune`",
            )
        return history

    def find_champion(self, version: str) -> str:
        """Return the digest of the only champion, present or former, that starts with `version`.

        Raises:
            UsageError: No champion or several champions match.
        """
        champions = {entry.bundle for entry in self.history()}
        return find_digest(version, champions, kind="present or former champions")

    def commit(
        self,
        bundle: Bundle,
        *,
        action: Action,
        reason: str,
        history: History,
        override: str | None = None,
    ) -> HistoryEntry:
        """Make a bundle the champion.

        Args:
            bundle: A bundle that `bundle()` of this store returned, so every byte is checked.
            action: Kind of the change.
            reason: Reason of the change, one sentence.
            history: The history at the time of the decision.
            override: Reason of a promotion against the verdict; None for other changes.

        Raises:
            ConcurrentUpdateError: Another command changed the champion after the decision.
            LocalEnvironmentError: The store is unavailable, full or not writable.
        """
        if bundle.location != self.location(bundle_key(bundle.digest)):
            raise ValueError(f"{bundle.location} is not a bundle of the store {self.location()}")
        entry = HistoryEntry(
            number=len(history.entries) + 1,
            previous=history.newest_hash,
            action=action,
            bundle=bundle.digest,
            at=datetime.now(UTC).isoformat(timespec="microseconds"),
            by=_author(),
            reason=reason,
            holdout_mse=bundle.holdout_mse,
            nonce=new_nonce(),
        )
        if override is not None:
            entry = entry.with_override(override)
        if not self._create(entry_key(entry.number), entry.to_json()):
            raise ConcurrentUpdateError(
                "The champion changed after the comparison: another command created history entry "
                f"{entry.number}{self._describe(entry.number)}.",
                hint="housectl promote   # compares with the current champion",
            )
        return entry

    def _describe(self, number: int) -> str:
        """Return a phrase about an entry, for a message; empty if it cannot be read."""
        try:
            entry = parse_entry(self._read(entry_key(number)), number)
        except (OSError, MalformedRecordError, HousectlError):
            return ""
        return f", the {entry.action} of {entry.bundle[:SHORT_DIGEST]} by {entry.by}"

    def _numbers(self, folder: str) -> list[int]:
        """Return the numbers of the numbered files in a folder."""
        return list(filter(None, map(file_number, self._names(folder))))

    def _chain(self) -> Iterator[tuple[HistoryEntry, str]]:
        """Yield each entry with the hash of its bytes, the oldest first."""
        previous = None
        for number, read in self._entry_readers().items():
            data = self._read_entry(number, read)
            entry = self._parse_entry(data, number)
            if entry.previous != previous:
                raise self._invalid_entry(number, "its hash of the entry before does not match")
            previous = hashlib.sha256(data).hexdigest()
            yield entry, previous

    def _entry_readers(self) -> Mapping[int, Callable[[], bytes]]:
        """Return each entry's number and a function that reads it, in order and without a gap."""
        files = dict(sorted(self._numbered_files(HISTORY).items()))
        for expected, number in enumerate(files, start=1):
            if number != expected:
                raise self._invalid_entry(expected, f"it is missing, but entry {number} exists")
        return files

    def _read_entry(self, number: int, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except OSError as error:
            raise self._invalid_entry(number, error.strerror or str(error)) from error

    def _parse_entry(self, data: bytes, number: int) -> HistoryEntry:
        try:
            return parse_entry(data, number)
        except MalformedRecordError as error:
            raise self._invalid_entry(number, str(error)) from error

    def _invalid_entry(self, number: int, cause: str) -> HistoryError:
        return HistoryError(
            f"The history entry {self.location(entry_key(number))} is invalid: {cause}.",
            hint=f"{self._list_command(HISTORY)}   # restore the store from a backup",
        )


def find_digest(version: str, digests: Iterable[str], *, kind: str) -> str:
    """Return the only one of some digests that starts with `version`.

    Raises:
        UsageError: No digest or several digests match; the message names their kind.
    """
    matches = [digest for digest in digests if version and digest.startswith(version)]
    if len(matches) != 1:
        raise UsageError(
            f"Version {version!r} is invalid: {len(matches)} {kind} have such a digest.",
            hint="housectl history   # shows the versions",
        )
    return matches[0]


def _author() -> str:
    """Return the user and the machine; the user may have no name, or one that is not UTF-8."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}".encode(errors="replace").decode()
