"""The champion store: bundles, evidence, and the history that says which bundle is the champion.

Servers read it and write nothing. A promotion commits by link(2) of one history entry, which fails
when the entry exists: compare-and-set without locks, and nothing stale after kill -9.
"""

import getpass
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from housectl.contract.bundle import BUNDLE_FILE, Bundle, read_bundle
from housectl.contract.evidence import Evidence
from housectl.contract.files import (
    STALE_SECONDS,
    atomic_directory,
    atomic_write,
    file_digest,
    remove_stale_temp_files,
    sync_directory,
    temp_path_for,
    translate_disk_errors,
    write_and_sync,
)
from housectl.contract.history import (
    Action,
    HistoryEntry,
    bundle_path,
    entry_path,
    newest_number,
    read_entry,
    read_history,
)
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, Record
from housectl.errors import (
    BundleError,
    ConcurrentUpdateError,
    NoChallengerError,
    NoChampionError,
    UsageError,
)

_SEAL_AGAIN = "housectl tune   # makes a challenger"


class Challenger(Record, kw_only=True):
    """What an experiment has brought; the newest one is what `housectl promote` takes."""

    schema_version: int = SCHEMA_VERSION
    experiment: str
    bundle: str
    evidence: str
    sealed_at: str


@dataclass(frozen=True)
class ChampionStore:
    """A store directory; it need not exist before the first bundle comes."""

    path: Path

    def history(self) -> tuple[HistoryEntry, ...]:
        """Return all entries, the oldest first, after their chain was checked."""
        return read_history(self.path)

    def champion(self) -> HistoryEntry | None:
        """Return the newest entry: the champion."""
        number = newest_number(self.path)
        return read_entry(self.path, number) if number else None

    def require_champion(self) -> HistoryEntry:
        """Return the champion.

        Raises:
            NoChampionError: There is none yet.
        """
        champion = self.champion()
        if champion is None:
            raise NoChampionError(
                f"The store {self.path} has no champion yet.",
                hint="housectl promote   # after `housectl tune`",
            )
        return champion

    def bundle(self, digest: str) -> Bundle:
        """Return a bundle after every byte of it was checked.

        Raises:
            BundleError: It is missing or altered.
        """
        return read_bundle(bundle_path(self.path, digest), expected=digest)

    def find(self, version: str) -> str:
        """Return the digest of the bundle that starts with `version`.

        Raises:
            UsageError: None or several do.
        """
        parent = bundle_path(self.path, "x").parent
        found = sorted(path.name for path in parent.glob(f"{version}*") if version.isalnum())
        if len(found) != 1:
            raise UsageError(
                f"{len(found)} bundles have a digest that starts with {version!r}.",
                hint="housectl history   # shows the versions",
            )
        return found[0]

    def add_bundle(self, bundle: Bundle) -> None:
        """Keep a bundle under its digest; one that is whole already stays as it is."""
        path = bundle_path(self.path, bundle.digest)
        if path.exists():
            self.bundle(bundle.digest)
            return
        with atomic_directory(path) as directory:
            for name, data in bundle.content.items():
                write_and_sync(directory / name, data)
            write_and_sync(directory / BUNDLE_FILE, bundle.record.to_json())

    def add_evidence(self, evidence: Evidence) -> None:
        """Keep evidence under its key."""
        atomic_write(self._evidence_path(evidence.key), evidence.to_json())

    def evidence(self, key: str) -> Evidence | None:
        """Return the evidence with this key; None when it was never made or is damaged."""
        try:
            evidence = Evidence.from_json(self._evidence_path(key).read_bytes())
        except (FileNotFoundError, MalformedRecordError):
            return None
        return evidence if evidence.key == key else None

    def add_challenger(self, experiment: str, bundle: Bundle, evidence: Evidence) -> Challenger:
        """Keep a sealed model as the challenger of its experiment."""
        for part in ("bundles", "evidence", "history", "challengers"):
            remove_stale_temp_files(self.path / part, older_than=STALE_SECONDS)
        self.add_bundle(bundle)
        self.add_evidence(evidence)
        challenger = Challenger(
            experiment=experiment,
            bundle=bundle.digest,
            evidence=evidence.key,
            sealed_at=_now(),
        )
        atomic_write(self._challenger_path(experiment), challenger.to_json())
        return challenger

    def challenger(self, experiment: str) -> Challenger | None:
        """Return the challenger of an experiment, if it was sealed."""
        path = self._challenger_path(experiment)
        try:
            return Challenger.from_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except MalformedRecordError as error:
            raise BundleError(
                f"{path} is damaged: {error}.", hint=f"rm {path}   # promote seals it again"
            ) from error

    def newest_challenger(self) -> Challenger:
        """Return the challenger that was sealed last.

        Raises:
            NoChallengerError: There is none.
        """
        names = [path.stem for path in self._challenger_path("x").parent.glob("[!.]*.json")]
        found = [found for name in names if (found := self.challenger(name))]
        if not found:
            raise NoChallengerError("No model has been sealed yet.", hint=_SEAL_AGAIN)
        return max(found, key=lambda challenger: challenger.sealed_at)

    def commit(
        self, bundle: Bundle, *, action: Action, reason: str, champion_number: int
    ) -> HistoryEntry:
        """Make a bundle the champion.

        Args:
            bundle: As `bundle` of this store returned it, which has checked every byte.
            action: Why it becomes the champion.
            reason: The verdict's sentence.
            champion_number: Number of the present champion's entry; 0 without one.

        Raises:
            OvertakenError: Another command has changed the champion since.
            MachineError: The disk is full, read-only or not writable.
        """
        if bundle.path != bundle_path(self.path, bundle.digest):
            raise ValueError(f"{bundle.path} was not read from the store {self.path}")
        entry = HistoryEntry(
            number=champion_number + 1,
            previous=self._hash(champion_number),
            action=action,
            bundle=bundle.digest,
            at=_now(),
            by=f"{getpass.getuser()}@{socket.gethostname()}",
            reason=reason,
            holdout_mse=bundle.holdout_mse,
        )
        self._link(entry)
        return entry

    def _link(self, entry: HistoryEntry) -> None:
        path = entry_path(self.path, entry.number)
        with translate_disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = temp_path_for(path)
            try:
                write_and_sync(temporary, entry.to_json())
                os.link(temporary, path)
            except FileExistsError as error:
                raise ConcurrentUpdateError(
                    f"Another command made entry {entry.number} of the history first: "
                    "the champion is not the one that this verdict was about.",
                    hint="housectl promote   # compares with the champion of now",
                ) from error
            finally:
                temporary.unlink(missing_ok=True)
            sync_directory(path.parent)

    def _hash(self, number: int) -> str | None:
        return file_digest(entry_path(self.path, number)) if number else None

    def _evidence_path(self, key: str) -> Path:
        return self.path / "evidence" / f"{key}.json"

    def _challenger_path(self, experiment: str) -> Path:
        return self.path / "challengers" / f"{experiment}.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
