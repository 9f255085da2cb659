"""Verification of the running server, with rollback on failure."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from housectl.contract.bundle_record import SHORT_DIGEST
from housectl.contract.history import HistoryEntry
from housectl.deadline import Deadline
from housectl.errors import ExitStatus, HousectlError, LocalEnvironmentError
from housectl.promotion import Promoter
from housectl.store.failed_verifications import FailedVerification
from housectl.verification.limits import Limits
from housectl.verification.outcome import Outcome
from housectl.verification.serving import wait_until_serving
from housectl.verification.verify import Verification, verify

SERVER_UPDATE_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class VerificationRun:
    """Verification of the running server, and its consequences.

    Attributes:
        champion: The champion that was verified.
        report: The results of its checks.
        done: The actions because of them, a phrase for each.
        rolled_back_to: The champion after a rollback; None without one.
        report_after_rollback: The checks of that champion; None if there were none.
    """

    url: str
    champion: HistoryEntry
    report: Verification
    done: tuple[str, ...] = ()
    rolled_back_to: HistoryEntry | None = None
    report_after_rollback: Verification | None = None

    @property
    def ok(self) -> bool:
        """True if the server returned the predictions of the champion."""
        return self.report.passed

    @property
    def status(self) -> ExitStatus:
        """The exit status of a command with this result."""
        return self.report.status


@dataclass(frozen=True, kw_only=True)
class ChampionVerifier:
    """Verifies that a server returns the champion's predictions."""

    promoter: Promoter
    url: str
    limits: Limits
    rollback_on_failure: bool

    def verify(self) -> VerificationRun:
        """Verify the server. Record wrong predictions, and roll back if that is set.

        Raises:
            BundleError: The champion's bundle is invalid.
            ServerUnreachableError: The server does not answer, so nothing is checked or done.
        """
        self.promoter.sync_deploy_details()
        deadline = Deadline.after(self.limits.run_seconds)
        run = self._verify_champion(deadline)
        if run.report.outcome is not Outcome.WRONG:
            return replace(run, done=(_nothing(run.report),))
        run = replace(run, done=(self._record_failure(run),))
        return self._roll_back(run, deadline) if self.rollback_on_failure else run

    def _verify_champion(self, deadline: Deadline) -> VerificationRun:
        """Verify the champion; again if another command changed it in the meantime."""
        run = self._verify_once(deadline)
        changed = self.promoter.store.require_champion() != run.champion
        return self._verify_once(deadline) if changed and not run.ok else run

    def _verify_once(self, deadline: Deadline) -> VerificationRun:
        store = self.promoter.store
        champion = store.require_champion()
        bundle = store.bundle(champion.bundle)
        report = verify(
            bundle, self.url, limits=self.limits, deadline=deadline, get_bundle=store.bundle
        )
        return VerificationRun(url=self.url, champion=champion, report=report)

    def _record_failure(self, run: VerificationRun) -> str:
        """Record a failed verification in the store, and return a phrase about it."""
        version = _version(run.champion)
        record = FailedVerification(
            bundle=run.champion.bundle,
            champion=run.champion.number,
            url=self.url,
            failed=run.report.wrong,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        try:
            self.promoter.store.add_failed_verification(record)
        except LocalEnvironmentError as error:
            return f"could not record the failed verification of {version}: {error.message}"
        return f"recorded the failed verification of {version}"

    def _roll_back(self, run: VerificationRun, deadline: Deadline) -> VerificationRun:
        """Roll back, and verify the restored champion. Any error becomes a phrase of the result."""
        failed = ", ".join(run.report.wrong)
        try:
            entry = self.promoter.rollback_from(
                run.champion, reason=f"Verification failed: {failed}."
            )
        except HousectlError as error:
            return replace(run, done=(*run.done, f"did not roll back: {error.message}"))
        done = (*run.done, f"rolled back to {_version(entry)}")
        restored = replace(run, done=done, rolled_back_to=entry)
        return self._verify_restored(restored, entry, deadline)

    def _verify_restored(
        self, run: VerificationRun, entry: HistoryEntry, deadline: Deadline
    ) -> VerificationRun:
        timeout = min(SERVER_UPDATE_TIMEOUT_SECONDS, deadline.remaining())
        try:
            wait_until_serving(self.url, entry.bundle, timeout=timeout, limits=self.limits)
            restored = self._verify_champion(deadline)
        except HousectlError as error:
            return replace(run, done=(*run.done, f"could not verify it: {error.message}"))
        report = restored.report
        result = "passed" if report.passed else f"failed: {', '.join(report.failed)}"
        done = (*run.done, f"verified {_version(restored.champion)}: {result}")
        if report.outcome is Outcome.WRONG:
            done = (*done, self._record_failure(restored))
        return replace(run, done=done, report_after_rollback=report)


def _nothing(report: Verification) -> str:
    if report.passed:
        return "nothing: every check passed"
    return "nothing: no prediction of the champion was wrong"


def _version(entry: HistoryEntry) -> str:
    return entry.bundle[:SHORT_DIGEST]
