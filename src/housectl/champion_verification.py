"""Verification of the running server, with rollback on failure."""

from dataclasses import dataclass, replace

from housectl.contract.history import HistoryEntry
from housectl.promotion import Promoter
from housectl.verification.verify import Verification, verify, wait_until_serving

SERVER_UPDATE_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class VerificationRun:
    """The report on a running server; `rolled_back_from` is a champion that failed before."""

    url: str
    champion: HistoryEntry
    report: Verification
    rolled_back_from: HistoryEntry | None = None

    @property
    def ok(self) -> bool:
        """True if the server returned the predictions of the champion, without a rollback."""
        return self.report.passed and self.rolled_back_from is None


@dataclass(frozen=True, kw_only=True)
class ChampionVerifier:
    """Verifies that a server returns the champion's predictions."""

    promoter: Promoter
    url: str
    p99_ms: float
    rollback_on_failure: bool

    def verify(self) -> VerificationRun:
        """Verify the server. After a failure, roll back if that is set, and verify again.

        Nothing is rolled back if there is no earlier champion.

        Raises:
            ServerUnreachableError: The server does not answer.
        """
        self.promoter.sync_deploy_details()
        first = self._verify_champion()
        if first.report.passed or not self.rollback_on_failure:
            return first
        if self.promoter.previous_digest(first.champion) is None:
            return first
        failed = ", ".join(check.name for check in first.report.checks if not check.passed)
        entry = self.promoter.rollback(None, reason=f"Verification failed: {failed}.")
        wait_until_serving(self.url, entry.bundle, timeout=SERVER_UPDATE_TIMEOUT_SECONDS)
        return replace(self._verify_champion(), rolled_back_from=first.champion)

    def _verify_champion(self) -> VerificationRun:
        store = self.promoter.store
        champion = store.require_champion()
        report = verify(store.bundle(champion.bundle), self.url, p99_ms=self.p99_ms)
        return VerificationRun(url=self.url, champion=champion, report=report)
