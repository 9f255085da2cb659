"""The step `promote`: makes the challenger the champion if the gate accepts it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from housectl.contract.bundle_record import SHORT_DIGEST
from housectl.errors import ConcurrentUpdateError, ExitStatus
from housectl.pipeline.decisions import decide, promotion_obstacle
from housectl.pipeline.records import finished_step
from housectl.pipeline.step_inputs import StepInputs, promote_inputs
from housectl.pipeline.steps import Decision, Models, Step, StepOutcome
from housectl.project_context import ProjectContext

if TYPE_CHECKING:
    from housectl.promotion import Promotion

_ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class PromoteStep:
    """The promotion of a pipeline."""

    context: ProjectContext
    models: Models

    @property
    def time_limit(self) -> None:
        """No limit: each measurement of evidence reports its progress."""

    def decide(self) -> Decision:
        """Decide if a verdict is necessary."""
        record = self.context.store.step_record(Step.PROMOTE)
        return decide(record, self._inputs(self.models.champion))

    def run(self) -> StepOutcome:
        """Promote the challenger if nothing prevents it, and record the step.

        Raises:
            ConcurrentUpdateError: Other commands changed the champion at each attempt.
        """
        outcome = self._promote(_ATTEMPTS)
        inputs = self._inputs(outcome.models.champion)
        self.context.store.write_step_record(finished_step(Step.PROMOTE, inputs))
        return outcome

    def _promote(self, attempts: int) -> StepOutcome:
        challenger, history = self.models.known_search.challenger, self.context.store.history()
        champion = history[-1].bundle if history else None
        if champion == challenger:
            # A command that was killed after its commit has not updated the registry.
            self.context.promoter.after_commit()
            return self._champion_already(challenger)
        failed = self.context.store.failed_bundles()
        obstacle = promotion_obstacle(challenger, history=history, failed=failed)
        if obstacle:
            return self._keep(f"the champion stays: {obstacle}", champion)
        try:
            return self._compare_and_promote()
        except ConcurrentUpdateError:
            if attempts == 1:
                raise
            return self._promote(attempts - 1)

    def _compare_and_promote(self) -> StepOutcome:
        promotion = self.context.promoter.promote(self.models.known_search.experiment)
        return replace(self._outcome_of(promotion), comparison=promotion.comparison)

    def _outcome_of(self, promotion: "Promotion") -> StepOutcome:
        reason, champion = promotion.comparison.verdict.reason, promotion.comparison.champion
        if promotion.entry is None:
            kept = champion.digest if champion else None
            if kept == self.models.known_search.challenger:
                # Another command has promoted it since the history was read.
                return self._champion_already(kept)
            return self._keep(reason, kept)
        promoted = promotion.entry.bundle
        return self._outcome(
            f"{_version(promoted)} was promoted: {reason}", promoted, promoted=True
        )

    def _champion_already(self, challenger: str) -> StepOutcome:
        return self._outcome(f"{_version(challenger)} is the champion already", challenger)

    def _keep(self, text: str, champion: str | None) -> StepOutcome:
        return replace(self._outcome(text, champion), status=ExitStatus.CHAMPION_KEPT)

    def _outcome(self, text: str, champion: str | None, *, promoted: bool = False) -> StepOutcome:
        models = replace(self.models, champion=champion, promoted=promoted)
        return StepOutcome(text=text.rstrip("."), models=models)

    def _inputs(self, champion: str | None) -> StepInputs:
        challenger = self.models.known_search.challenger
        return promote_inputs(
            challenger=challenger, champion=champion, gate=self.context.config.gate
        )


def _version(digest: str) -> str:
    return digest[:SHORT_DIGEST]
