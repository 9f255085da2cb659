"""The step `tune`: starts a search or resumes it, and seals its best trial as the challenger."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from housectl.contract.record import digest_of
from housectl.errors import AlreadyExistsError, UnknownExperimentError
from housectl.experiment import ExperimentState
from housectl.pipeline.decisions import decide
from housectl.pipeline.records import finished_search, started_search
from housectl.pipeline.step_inputs import StepInputs, tune_inputs
from housectl.pipeline.steps import Decision, FinishedSearch, Models, StepOutcome
from housectl.project_context import ProjectContext
from housectl.store.step_records import StepRecord, StepState

if TYPE_CHECKING:
    from housectl.backends.base import Handle
    from housectl.contract.inputs import Inputs

# They distinguish the searches of one project.
_NAME_DIGITS = 10
_USELESS = {ExperimentState.FAILED, ExperimentState.DELETED}


@dataclass(frozen=True, kw_only=True)
class TuneStep:
    """The search of a pipeline.

    The name of a search contains a digest of its inputs. So commands with the same settings find
    the same search, whether one was killed or both run at the same time.

    Attributes:
        record: The record of the last search, finished or not.
        again: Start a new search even if the last one had the same inputs. An unfinished search is
            resumed in any case.
    """

    context: ProjectContext
    models: Models
    record: StepRecord | None
    again: bool

    @property
    def time_limit(self) -> None:
        """No limit: the search reports its progress."""

    def decide(self) -> Decision:
        """Decide if a search is necessary.

        Raises:
            DataError: The data file cannot be read.
        """
        decision = decide(self.record, self._inputs(self.context.data_digest()))
        search = self.models.search
        if decision.runs or (search and self.context.store.has_bundle(search.challenger)):
            return decision
        return Decision(runs=True, reason="the store lacks the challenger")

    def run(self) -> StepOutcome:
        """Search, seal the best trial, and record the step.

        Raises:
            DataError: The data file is unusable.
            TrialTooLongError: A typical trial cannot end within its time limit.
            ModelTooLargeError: A model can be larger than a bundle may be.
            NoUsableTrialError: No trial succeeded.
            ExperimentInterruptedError: The search was stopped while this command waited for it.
        """
        inputs = self.context.write_inputs()
        step_inputs = self._inputs(inputs.shared.data)
        handle, started = self._start(inputs, step_inputs)
        self.context.run(handle).wait()
        challenger = self.context.sealer.find_or_seal(handle).bundle
        self.context.store.write_step_record(finished_search(started, challenger=challenger))
        model = self.context.model(challenger)
        return StepOutcome(
            text=f"{handle.name} sealed {model.version}, held-out MSE {model.holdout_mse:.4g}",
            models=replace(
                self.models,
                search=FinishedSearch(experiment=handle.name, challenger=challenger),
            ),
        )

    def _start(self, inputs: "Inputs", step_inputs: StepInputs) -> "tuple[Handle, StepRecord]":
        """Start the search of these inputs, or resume it; the next attempt if that one failed."""
        attempt = self._first_attempt(step_inputs)
        while True:
            name = self._name(step_inputs, attempt)
            record = started_search(step_inputs, attempt=attempt, experiment=name)
            # The name is recorded first: after a kill, the next command finds the search.
            self.context.store.write_step_record(record)
            if handle := self._submit_or_resume(name, inputs):
                return handle, record
            attempt += 1

    def _first_attempt(self, inputs: StepInputs) -> int:
        if self.record is None or self.record.inputs != inputs:
            return 1
        finished = self.record.state is StepState.DONE
        return self.record.attempt + 1 if self.again and finished else self.record.attempt

    def _submit_or_resume(self, name: str, inputs: "Inputs") -> "Handle | None":
        """Return the running search of this name; None if it failed or is being deleted."""
        backend = self.context.backend
        try:
            handle = backend.handle(name)
        except UnknownExperimentError:
            try:
                experiment = self.context.experiment(name)
                self.context.check_plan(experiment, inputs)
                return backend.submit(experiment, inputs=inputs, image=None)
            except AlreadyExistsError:
                # Another command has just submitted the same search.
                handle = backend.handle(name)
        if backend.observe(handle).state in _USELESS:
            return None
        backend.resume(handle)
        return handle

    def _inputs(self, data: str) -> StepInputs:
        from housectl.backends.factory import search_settings

        config = self.context.config
        settings = search_settings(config, self.context.workspace)
        return tune_inputs(config, data=data, backend_settings=settings)

    def _name(self, inputs: StepInputs, attempt: int) -> str:
        digest = digest_of({"inputs": inputs, "attempt": attempt})
        return f"{self.context.config.name}-{digest[:_NAME_DIGITS]}"


def finished_search_of(record: StepRecord | None) -> FinishedSearch | None:
    """Return the search of a record if it has finished."""
    if record is None or record.experiment is None or record.challenger is None:
        return None
    return FinishedSearch(experiment=record.experiment, challenger=record.challenger)
