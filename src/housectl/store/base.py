"""Interface of the champion store, for the commands that write it and the servers that read it."""

from datetime import UTC, datetime

from housectl.contract.bundle import BUNDLE_FILE, Bundle, load_bundle
from housectl.contract.evidence import Evidence
from housectl.contract.record import MalformedRecordError
from housectl.errors import BundleError, NoChallengerError, UsageError
from housectl.store.challenger import Challenger
from housectl.store.failed_verifications import FailedVerifications
from housectl.store.history_store import HistoryStore
from housectl.store.layout import (
    BUNDLES,
    CHALLENGERS,
    bundle_key,
    challenger_key,
    evidence_file_key,
)


class ChampionStore(HistoryStore, FailedVerifications):
    """Store of bundles, evidence, challengers, the history of champions and failed verifications.

    An implementation adds the methods of FileStorage. The store need not exist before the first
    write.
    """

    def bundle(self, digest: str) -> Bundle:
        """Return a bundle, with every byte checked.

        Raises:
            BundleError: The bundle is missing or altered.
        """
        key = bundle_key(digest)
        return load_bundle(
            lambda name, limit: self._read(f"{key}/{name}", limit=limit),
            location=self.location(key),
            expected=digest,
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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
