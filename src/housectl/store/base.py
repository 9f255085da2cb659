"""Interface of the champion store, for the commands that write it and the servers that read it."""

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

from housectl.contract.bundle import (
    Bundle,
    BundleSummary,
    FileReader,
    load_bundle,
    load_summary,
)
from housectl.contract.bundle_record import BUNDLE_FILE
from housectl.contract.evidence import Evidence
from housectl.contract.path_names import is_digest
from housectl.contract.record import MalformedRecordError, new_nonce
from housectl.errors import BundleError, EvidenceError, NoChallengerError
from housectl.store.challenger import Challenger, parse_challenger
from housectl.store.comparisons import Comparisons
from housectl.store.failed_verifications import FailedVerifications
from housectl.store.history_store import HistoryStore, find_digest
from housectl.store.layout import (
    BUNDLES,
    CHALLENGERS,
    bundle_key,
    challenger_key,
    evidence_file_key,
)
from housectl.store.locks import Locks
from housectl.store.step_records import StepRecords


class ChampionStore(HistoryStore, FailedVerifications, Locks, StepRecords, Comparisons):
    """Store of bundles with evidence and locks, challengers, the history, and further records.

    An implementation adds the methods of FileStorage. The store need not exist before the first
    write.
    """

    def bundle(self, digest: str) -> Bundle:
        """Return a bundle, with every byte checked.

        Raises:
            BundleError: The bundle is missing or altered.
        """
        location = self.location(bundle_key(digest))
        return load_bundle(self._bundle_reader(digest), location=location, expected=digest)

    def bundle_summary(self, digest: str) -> BundleSummary:
        """Return record and errors of a bundle; the model is not read.

        Raises:
            BundleError: The bundle is missing or altered.
        """
        return load_summary(
            self._bundle_reader(digest),
            location=self.location(bundle_key(digest)),
            expected=digest,
            hint=f"housectl store check {shlex.quote(self.location())}   # lists damaged files",
        )

    def _bundle_reader(self, digest: str) -> FileReader:
        """Return a function that reads a file of a bundle by its name and its largest size."""
        key = bundle_key(digest)
        return lambda name, limit: self._read(f"{key}/{name}", limit=limit)

    def find_bundle(self, version: str) -> str:
        """Return the digest of the only bundle that starts with `version`.

        Raises:
            UsageError: No bundle or several bundles match.
        """
        return find_digest(version, filter(is_digest, self._names(BUNDLES)), kind="bundles")

    def has_bundle(self, digest: str) -> bool:
        """Return True if the store has a bundle, without checking its bytes."""
        return self._folder_exists(bundle_key(digest))

    def bundle_uri(self, digest: str) -> str:
        """Return the URI of a bundle."""
        return self._uri(bundle_key(digest))

    def add_bundle(self, bundle: Bundle) -> None:
        """Store a bundle under its digest; a valid one that exists already is kept."""
        key = bundle_key(bundle.digest)
        if self._folder_exists(key):
            self.bundle(bundle.digest)
        else:
            self._create_folder(key, {**bundle.content, BUNDLE_FILE: bundle.record.to_json()})

    def add_evidence(self, evidence: Evidence, *, name: str) -> None:
        """Store evidence under its key, or under the digest of its bundle."""
        self._write(evidence_file_key(name), evidence.to_json())

    def evidence(self, name: str) -> Evidence | None:
        """Return the evidence with this key, or of the bundle with this digest; None if missing.

        Raises:
            EvidenceError: The file is malformed, or has the evidence of another recipe or bundle.
        """
        key = evidence_file_key(name)
        try:
            evidence = Evidence.from_json(self._read(key))
        except FileNotFoundError:
            return None
        except (OSError, MalformedRecordError) as error:
            raise self._invalid_evidence(name, str(error)) from error
        if name not in {evidence.key, evidence.bundle}:
            raise self._invalid_evidence(name, "it is of another recipe or bundle")
        return evidence

    def remove_evidence_command(self, *names: str) -> str:
        """Return the shell command that removes evidence, for hints."""
        remove = self._remove_command(*map(evidence_file_key, names))
        return f"{remove}   # the next comparison measures it again"

    def add_challenger(self, experiment: str, bundle: Bundle, evidence: Evidence) -> Challenger:
        """Store a sealed model as the newest challenger of its experiment.

        Raises:
            HistoryError: The history is damaged. Nothing is written.
        """
        self.history()
        self._remove_stale_files()
        self.add_bundle(bundle)
        for name in (bundle.digest, evidence.key):
            self.add_evidence(evidence, name=name)
        # If another command takes a number at the same time, the next one is tried.
        for number in count(max(self._numbers(CHALLENGERS), default=0) + 1):
            sealed_at = datetime.now(UTC).isoformat(timespec="microseconds")
            challenger = Challenger(
                number=number,
                experiment=experiment,
                bundle=bundle.digest,
                sealed_at=sealed_at,
                nonce=new_nonce(),
            )
            if self._create(challenger_key(number), challenger.to_json()):
                break
        return challenger

    def challenger(self, experiment: str) -> Challenger | None:
        """Return the newest challenger of an experiment; None if no model of it is sealed.

        Raises:
            BundleError: The file of a challenger is invalid.
        """
        of_experiment = (each for each in self._challengers() if each.experiment == experiment)
        return next(of_experiment, None)

    def newest_challenger(self) -> Challenger:
        """Return the challenger that was sealed last.

        Raises:
            NoChallengerError: No model is sealed yet.
            BundleError: The file of the challenger is invalid.
        """
        newest = next(self._challengers(), None)
        if newest is None:
            raise NoChallengerError(
                "No model is sealed yet.", hint="housectl tune   # seals a challenger"
            )
        return newest

    def _challengers(self) -> Iterator[Challenger]:
        """Yield the challengers, the newest first."""
        return map(self._read_challenger, sorted(self._numbers(CHALLENGERS), reverse=True))

    def _read_challenger(self, number: int) -> Challenger:
        key = challenger_key(number)
        try:
            return parse_challenger(self._read(key), number)
        except (OSError, MalformedRecordError) as error:
            raise BundleError(
                f"The challenger {self.location(key)} is invalid: {error}.",
                hint=f"{self._remove_command(key)}   # the next promotion seals it again",
            ) from error

    def _invalid_evidence(self, name: str, cause: str) -> EvidenceError:
        return EvidenceError(
            f"The evidence {self.location(evidence_file_key(name))} is invalid: {cause}.",
            hint=self.remove_evidence_command(name),
        )
