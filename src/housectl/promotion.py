"""Promotion and rollback of champions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from housectl import deploy_details
from housectl.comparison import Comparer, Comparison
from housectl.contract.bundle import Bundle
from housectl.contract.history import (
    Action,
    History,
    HistoryEntry,
    clock_warnings,
    earlier_champions,
)
from housectl.contract.scorer import open_bundle
from housectl.errors import NoChallengerError, UnknownExperimentError, UsageError
from housectl.inputs_finder import InputsFinder
from housectl.reasons import check_override, check_text
from housectl.sealing import Sealer
from housectl.store.base import ChampionStore
from housectl.store.challenger import Challenger
from housectl.verdict import Gate

_NO_EARLIER = "the history has no earlier champion"


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """The outcome of a promotion; `entry` is None if the champion stays."""

    comparison: Comparison
    entry: HistoryEntry | None

    @property
    def number(self) -> int:
        """Number of the champion's history entry; 0 without a champion."""
        return self.entry.number if self.entry else self.comparison.champion_number

    @property
    def override(self) -> str | None:
        """Reason of a promotion against the verdict; None otherwise."""
        return self.entry.override_reason if self.entry else None

    @property
    def clock_warnings(self) -> tuple[str, ...]:
        """A sentence if the new entry is older than the one before."""
        if self.entry is None:
            return ()
        return clock_warnings((*self.comparison.history.entries[-1:], self.entry))


@dataclass(frozen=True, kw_only=True)
class Promoter:
    """Decides which model is the champion, and records each change in the store.

    Attributes:
        inputs: Finds the inputs of a challenger.
        deploy_details: The file that records the last verdict.
        after_commit: Called after each change of the champion; it never fails.
    """

    store: ChampionStore
    sealer: Sealer
    gate: Gate
    inputs: InputsFinder
    deploy_details: Path
    after_commit: Callable[[], None]

    def compare(self, experiment: str | None) -> Comparison:
        """Compare a challenger with the champion on the same rows.

        If data, split, seed, libraries or training procedure differ, the champion's recipe is first
        reevaluated with the challenger's.
        """
        history = self.store.read_history()
        self._sync_deploy_details(history.entries)
        challenger = self.store.bundle(self.find_challenger(experiment).bundle)
        comparer = Comparer(
            store=self.store, sealer=self.sealer, gate=self.gate, inputs=self.inputs
        )
        return comparer.compare(challenger, history)

    def promote(self, experiment: str | None, *, accept: str | None = None) -> Promotion:
        """Compare, and make the challenger the champion if the verdict accepts it.

        Args:
            experiment: The experiment of the challenger; by default the newest challenger.
            accept: Reason to promote the challenger even if the verdict rejects it.

        Raises:
            ConcurrentUpdateError: Another command changed the champion after the comparison.
            UsageError: The reason is invalid, or the challenger is the champion already.
        """
        override = None if accept is None else check_override(accept)
        comparison = self.compare(experiment)
        challenger, history = comparison.challenger.bundle, comparison.history
        if comparison.verdict.accepted:
            override = None
        elif override is not None:
            _check_not_champion(challenger, history)
        else:
            deploy_details.record_rejection(
                self.deploy_details, self.store, challenger, history=history.entries
            )
            return Promotion(comparison=comparison, entry=None)
        entry = self._commit(
            challenger,
            action=Action.PROMOTION,
            reason=comparison.verdict.reason,
            history=history,
            override=override,
        )
        return Promotion(comparison=comparison, entry=entry)

    def rollback(self, version: str | None, *, reason: str) -> HistoryEntry:
        """Make an earlier bundle the champion again: the previous one, or the named one.

        Raises:
            UsageError: There is no such bundle, it is the champion already, or the reason is not
                Unicode.
        """
        check_text(reason, option="housectl rollback --reason")
        history = self.store.require_history()
        if version is None:
            return self._restore_earlier(history, reason=reason)
        return self._restore(self.store.find_champion(version), history, reason=reason)

    def rollback_from(self, champion: HistoryEntry, *, reason: str) -> HistoryEntry:
        """Make the latest earlier champion without a failed verification the champion again.

        Args:
            champion: The champion that is rolled back.
            reason: Reason of the rollback, one sentence.

        Raises:
            UsageError: There is no such champion.
            ConcurrentUpdateError: Another command changed the champion.
        """
        return self._restore_earlier(
            self.store.read_history().until(champion.number), reason=reason
        )

    def _restore_earlier(self, history: History, *, reason: str) -> HistoryEntry:
        earlier = earlier_champions(history.entries)
        failed = self.store.failed_bundles()
        digest = next((digest for digest in earlier if digest not in failed), None)
        if digest is None:
            problem = "every earlier champion failed a verification" if earlier else _NO_EARLIER
            raise UsageError(f"Rollback is impossible: {problem}.", hint="housectl history")
        return self._restore(digest, history, reason=reason)

    def _restore(self, digest: str, history: History, *, reason: str) -> HistoryEntry:
        if history.champion and digest == history.champion.bundle:
            raise UsageError(
                f"Rollback is impossible: {digest[:12]} is the champion already.",
                hint="housectl history",
            )
        bundle = self.store.bundle(digest)
        open_bundle(bundle)
        return self._commit(bundle, action=Action.ROLLBACK, reason=reason, history=history)

    def _commit(
        self,
        bundle: Bundle,
        *,
        action: Action,
        reason: str,
        history: History,
        override: str | None = None,
    ) -> HistoryEntry:
        """Make a bundle the champion, then update the files and services that follow the history.

        Every promotion and every rollback commits here.
        """
        entry = self.store.commit(
            bundle, action=action, reason=reason, history=history, override=override
        )
        self._sync_deploy_details((*history.entries, entry))
        self.after_commit()
        return entry

    def find_challenger(self, experiment: str | None) -> Challenger:
        """Return an experiment's challenger; by default the newest challenger.

        The best trial is sealed if the experiment has no challenger yet.

        Raises:
            NoChallengerError: The experiment is unknown, or no model has been sealed.
        """
        if experiment is None:
            return self.store.newest_challenger()
        challenger = self.store.challenger(experiment)
        if challenger is not None:
            return challenger
        try:
            handle = self.sealer.backend.handle(experiment)
        except UnknownExperimentError as error:
            raise NoChallengerError(
                f"Challenger not found: there is no experiment {experiment}.", hint="housectl list"
            ) from error
        return self.sealer.seal_best(handle)

    def sync_deploy_details(self) -> None:
        """Update deploy_details.json from the history, in case a killed command did not."""
        self._sync_deploy_details(self.store.history())

    def _sync_deploy_details(self, history: Sequence[HistoryEntry]) -> None:
        deploy_details.sync(self.deploy_details, self.store, history)


def _check_not_champion(challenger: Bundle, history: History) -> None:
    if history.champion and history.champion.bundle == challenger.digest:
        raise UsageError(
            f"Promotion is impossible: {challenger.version} is the champion already.",
            hint="housectl history",
        )
