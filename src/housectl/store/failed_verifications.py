"""Failed verifications: bundles whose predictions a server got wrong. No rollback leads to them."""

from housectl.contract.path_names import Digest
from housectl.contract.record import SCHEMA_VERSION, Record
from housectl.store.layout import VERIFICATIONS, failed_verification_key
from housectl.store.storage import FileStorage


class FailedVerification(Record, kw_only=True):
    """The first failed verification of a bundle.

    Attributes:
        champion: Number of the bundle's history entry.
        url: URL of the server.
        failed: Names of the checks with wrong answers.
        at: Time in UTC, ISO 8601.
    """

    schema_version: int = SCHEMA_VERSION
    bundle: Digest
    champion: int
    url: str
    failed: tuple[str, ...]
    at: str


class FailedVerifications(FileStorage):
    """Records of failed verifications, which are never changed or deleted."""

    def add_failed_verification(self, record: FailedVerification) -> None:
        """Store a record, unless the bundle has an earlier one."""
        self._create(failed_verification_key(record.bundle), record.to_json())

    def failed_bundles(self) -> frozenset[str]:
        """Return the digests of the bundles that failed a verification."""
        return frozenset(name.removesuffix(".json") for name in self._names(VERIFICATIONS))
