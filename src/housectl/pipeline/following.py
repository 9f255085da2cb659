"""The steps `wait` and `verify`: the server serves the champion, and predicts as it does."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from housectl.contract.bundle_record import SHORT_DIGEST
from housectl.errors import ServerUnreachableError
from housectl.pipeline.decisions import decide
from housectl.pipeline.records import finished_step
from housectl.pipeline.step_inputs import StepInputs, verify_inputs, wait_inputs
from housectl.pipeline.steps import Decision, Models, Step, StepOutcome
from housectl.project_context import ProjectContext

if TYPE_CHECKING:
    from housectl.champion_verification import VerificationRun

UPDATE_SECONDS = 30.0
"""Time for a server to load a new champion."""
REACH_SECONDS = 5.0
"""Time for a server to respond at all."""


@dataclass(frozen=True, kw_only=True)
class WaitStep:
    """Waiting of a pipeline until the server serves the champion."""

    context: ProjectContext
    models: Models

    @property
    def time_limit(self) -> float:
        """Time for a server to load the champion, in seconds."""
        return UPDATE_SECONDS

    def decide(self) -> Decision:
        """Decide if the server must be asked."""
        return decide(self.context.store.step_record(Step.WAIT), self._inputs)

    def run(self) -> StepOutcome:
        """Wait for the server, and record the step.

        Raises:
            ServerUnreachableError: No server responds.
            VerificationError: The server still serves another model.
        """
        from housectl.verification.serving import wait_until_serving

        url = self.context.config.server_url
        try:
            wait_until_serving(
                url, self.models.known_champion, timeout=UPDATE_SECONDS, reach_timeout=REACH_SECONDS
            )
        except ServerUnreachableError as error:
            error.hint = "housectl serve   # in another terminal; then: housectl run"
            raise
        self.context.store.write_step_record(finished_step(Step.WAIT, self._inputs))
        text = f"{url} serves {self.models.known_champion[:SHORT_DIGEST]}"
        return StepOutcome(text=text, models=self.models)

    @property
    def _inputs(self) -> StepInputs:
        return wait_inputs(champion=self.models.known_champion, url=self.context.config.server_url)


@dataclass(frozen=True, kw_only=True)
class VerifyStep:
    """Verification of a pipeline."""

    context: ProjectContext
    models: Models

    @property
    def time_limit(self) -> float:
        """Time limit of the verification in seconds."""
        return self.context.config.verify.timeout

    def decide(self) -> Decision:
        """Decide if a verification is necessary."""
        return decide(
            self.context.store.step_record(Step.VERIFY), self._inputs(self.models.known_champion)
        )

    def run(self) -> StepOutcome:
        """Verify the server, and record the step if every check passes.

        Raises:
            BundleError: The champion's bundle is invalid.
            ServerUnreachableError: No server responds.
        """
        run = self.context.verifier.verify()
        if run.ok:
            # Another command may have changed the champion since the decision.
            inputs = self._inputs(run.champion.bundle)
            self.context.store.write_step_record(finished_step(Step.VERIFY, inputs))
        champion = run.rolled_back_to or run.champion
        return StepOutcome(
            text=_describe(run),
            models=replace(self.models, champion=champion.bundle),
            status=run.status,
        )

    def _inputs(self, champion: str) -> StepInputs:
        config = self.context.config
        return verify_inputs(champion=champion, url=config.server_url, settings=config.verify)


def _describe(run: "VerificationRun") -> str:
    version = run.champion.bundle[:SHORT_DIGEST]
    if run.ok:
        return f"{run.url} predicts as {version}"
    return f"{run.url} failed: {', '.join(run.report.failed)}; {'; '.join(run.done)}"
