"""Interface of the champion store, for the commands that write it and the servers that read it.

The newest history entry names the champion. A promotion creates the next entry, which fails if the
entry exists: compare-and-set without locks, and `kill -9` leaves nothing stale.
"""

import getpass
import hashlib
import socket
from datetime import UTC, datetime

from housectl.contract.bundle import BUNDLE_FILE, Bundle, load_bundle
from housectl.contract.evidence import Evidence
from housectl.contract.history import Action, HistoryEntry, parse_entry
from housectl.contract.record import MalformedRecordError
from housectl.errors import (
    BundleError,
    ConcurrentUpdateError,
    HistoryError,
    NoChallengerError,
    NoChampionError,
    UsageError,
)
from housectl.store.challenger import Challenger
from housectl.store.layout import (
    BUNDLES,
    CHALLENGERS,
    HISTORY,
    bundle_key,
    challenger_key,
    entry_key,
    evidence_file_key,
)
from housectl.store.storage import FileStorage


class ChampionStore(FileStorage):
    """Store of bundles, evidence, challengers and the history of champions.

    An implementation adds the methods of FileStorage. The store need not exist before the first
    write.
    """

    def newest_number(self, *, at_least: int = 0) -> int:
        """Return the number of the newest history entry; 0 without entries.

        Args:
            at_least: Number of an entry that is known to exist. If it is still the newest, one
                lookup is enough.
        """
        number = at_least
        while self._exists(entry_key(number + 1)):
            number += 1
        return number

    def entry(self, number: int) -> HistoryEntry:
        """Return one history entry.

        Raises:
            HistoryError: The entry is missing or invalid, or has another number.
        """
        return self._parse_entry(self._read_entry(number), number)

    def history(self) -> tuple[HistoryEntry, ...]:
        """Return all history entries, the oldest first.

        Raises:
            HistoryError: An entry is invalid, or lacks the hash of the entry before.
        """
        entries = []
        previous_hash = None
        for number in range(1, self.newest_number() + 1):
            data = self._read_entry(number)
            entry = self._parse_entry(data, number)
            if entry.previous != previous_hash:
                raise self._invalid_entry(number, "its hash of the entry before does not match")
            entries.append(entry)
            previous_hash = hashlib.sha256(data).hexdigest()
        return tuple(entries)

    def champion(self) -> HistoryEntry | None:
        """Return the champion: the newest history entry."""
        number = self.newest_number()
        return self.entry(number) if number else None

    def require_champion(self) -> HistoryEntry:
        """Return the champion.

        Raises:
            NoChampionError: The store has no champion yet.
        """
        champion = self.champion()
        if champion is None:
            raise NoChampionError(
                f"The store {self.location()} has no champion yet.",
                hint="housectl promote   # after `housectl tune`",
            )
        return champion

    def bundle(self, digest: str) -> Bundle:
        """Return a bundle, with every byte checked.

        Raises:
            BundleError: The bundle is missing or altered.
        """
        key = bundle_key(digest)
        return load_bundle(
            lambda name: self._read(f"{key}/{name}"), location=self.location(key), expected=digest
        )

    def bundle_uri(self, digest: str) -> str:
        """Return the URI of a bundle."""
        return self._uri(bundle_key(digest))

    def find_digest(self, version: str) -> str:
        """Return the digest of the only bundle whose digest starts with `version`.

        Raises:
            UsageError: No bundle or several bundles match.
        """
        matches = [name for name in self._names(BUNDLES) if version and name.startswith(version)]
        if len(matches) != 1:
            raise UsageError(
                f"Version {version!r} is invalid: {len(matches)} bundles have such a digest.",
                hint="housectl history   # shows the versions",
            )
        return matches[0]

    def add_bundle(self, bundle: Bundle) -> None:
        """Store a bundle under its digest; a valid one that exists already is kept."""
        key = bundle_key(bundle.digest)
        if self._exists(key):
            self.bundle(bundle.digest)
        else:
            self._create_folder(key, {**bundle.content, BUNDLE_FILE: bundle.record.to_json()})

    def add_evidence(self, evidence: Evidence) -> None:
        """Store evidence under its key."""
        self._write(evidence_file_key(evidence.key), evidence.to_json())

    def evidence(self, key: str) -> Evidence | None:
        """Return the evidence with this key; None if it is missing or invalid."""
        try:
            evidence = Evidence.from_json(self._read(evidence_file_key(key)))
        except (FileNotFoundError, MalformedRecordError):
            return None
        return evidence if evidence.key == key else None

    def add_challenger(self, experiment: str, bundle: Bundle, evidence: Evidence) -> Challenger:
        """Store a sealed model as the challenger of its experiment."""
        self._remove_stale_files()
        self.add_bundle(bundle)
        self.add_evidence(evidence)
        challenger = Challenger(
            experiment=experiment, bundle=bundle.digest, evidence=evidence.key, sealed_at=_now()
        )
        self._write(challenger_key(experiment), challenger.to_json())
        return challenger

    def challenger(self, experiment: str) -> Challenger | None:
        """Return the challenger of an experiment; None if no model of it is sealed.

        Raises:
            BundleError: The challenger's file is invalid.
        """
        key = challenger_key(experiment)
        try:
            return Challenger.from_json(self._read(key))
        except FileNotFoundError:
            return None
        except MalformedRecordError as error:
            raise BundleError(
                f"The challenger {self.location(key)} is invalid: {error}.",
                hint=f"{self._remove_command(key)}   # the next promotion seals it again",
            ) from error

    def newest_challenger(self) -> Challenger:
        """Return the challenger that was sealed last.

        Raises:
            NoChallengerError: No model is sealed yet.
        """
        experiments = (name.removesuffix(".json") for name in self._names(CHALLENGERS))
        challengers = filter(None, map(self.challenger, experiments))
        newest = max(challengers, key=lambda challenger: challenger.sealed_at, default=None)
        if newest is None:
            raise NoChallengerError(
                "No model is sealed yet.", hint="housectl tune   # seals a challenger"
            )
        return newest

    def commit(
        self, bundle: Bundle, *, action: Action, reason: str, champion_number: int
    ) -> HistoryEntry:
        """Make a bundle the champion.

        Args:
            bundle: A bundle that `bundle()` of this store returned, so every byte is checked.
            action: Kind of the change.
            reason: Reason of the change, one sentence.
            champion_number: Number of the champion's entry at the time of the decision; 0 if there
                was no champion.

        Raises:
            ConcurrentUpdateError: Another command changed the champion after the decision.
            LocalEnvironmentError: The disk is full, read-only or not writable.
        """
        if bundle.location != self.location(bundle_key(bundle.digest)):
            raise ValueError(f"{bundle.location} is not a bundle of the store {self.location()}")
        entry = HistoryEntry(
            number=champion_number + 1,
            previous=self._entry_hash(champion_number) if champion_number else None,
            action=action,
            bundle=bundle.digest,
            at=_now(),
            by=f"{getpass.getuser()}@{socket.gethostname()}",
            reason=reason,
            holdout_mse=bundle.holdout_mse,
        )
        if not self._create(entry_key(entry.number), entry.to_json()):
            raise ConcurrentUpdateError(
                "The champion changed after the comparison: another command created history entry "
                f"{entry.number}.",
                hint="housectl promote   # compares with the current champion",
            )
        return entry

    def _read_entry(self, number: int) -> bytes:
        try:
            return self._read(entry_key(number))
        except OSError as error:
            raise self._invalid_entry(number, error.strerror or str(error)) from error

    def _parse_entry(self, data: bytes, number: int) -> HistoryEntry:
        try:
            return parse_entry(data, number)
        except MalformedRecordError as error:
            raise self._invalid_entry(number, str(error)) from error

    def _entry_hash(self, number: int) -> str:
        return hashlib.sha256(self._read_entry(number)).hexdigest()

    def _invalid_entry(self, number: int, cause: str) -> HistoryError:
        return HistoryError(
            f"The history entry {self.location(entry_key(number))} is invalid: {cause}.",
            hint=f"{self._list_command(HISTORY)}   # restore the store from a backup",
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
