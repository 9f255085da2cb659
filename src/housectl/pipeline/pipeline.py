"""The pipeline of `housectl run`: decides about each step in turn, and runs it if necessary."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from housectl import deploy_details
from housectl.contract.history import HistoryEntry
from housectl.errors import UsageError
from housectl.pipeline.decisions import decide_dependent, decide_forced
from housectl.pipeline.following import VerifyStep, WaitStep
from housectl.pipeline.promoting import PromoteStep
from housectl.pipeline.steps import (
    Decision,
    Models,
    PipelineRun,
    PipelineStep,
    Step,
    StepAction,
    StepResult,
)
from housectl.pipeline.tuning import TuneStep, finished_search_of
from housectl.project_context import ProjectContext
from housectl.store.step_records import StepRecord

Report = Callable[[StepResult], None]

_OF_SERVER = {Step.WAIT, Step.VERIFY}


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The steps from tune to verify of one project.

    Attributes:
        from_step: This step and all later ones run even if nothing has changed; None for no step.
        to_step: The last step.
    """

    context: ProjectContext
    from_step: Step | None
    to_step: Step

    def __post_init__(self) -> None:
        if self.from_step and self.from_step.position > self.to_step.position:
            raise UsageError(
                f"The steps are invalid: {self.from_step} comes after {self.to_step}.",
                hint="housectl run --help",
            )

    def plan(self) -> PipelineRun:
        """Decide about each step, without running any. Changes nothing."""
        models = self._models(self.context.store.history())
        results: list[StepResult] = []
        for step in self._steps:
            planned = (result.step for result in reversed(results) if _is_planned(result))
            decision = self._decide(step, models, earlier=next(planned, None))
            action = StepAction.PLANNED if decision.runs else StepAction.SKIPPED
            results.append(StepResult(step=step, action=action, reason=decision.reason))
        return PipelineRun(steps=tuple(results), models=models)

    def run(self, report: Report) -> PipelineRun:
        """Run each step whose inputs have changed.

        Args:
            report: Receives each skipped step, and each other step at its start and at its end.
        """
        history = self.context.store.history()
        deploy_details.sync(self.context.deploy_details, self.context.store, history)
        models = self._models(history)
        results: list[StepResult] = []
        for step in self._steps:
            decision = self._decide(step, models)
            if decision.runs:
                result, models = self._run_step(step, models, decision.reason, report)
            else:
                result = StepResult(step=step, action=StepAction.SKIPPED, reason=decision.reason)
            report(result)
            results.append(result)
        return PipelineRun(steps=tuple(results), models=models)

    def _run_step(
        self, step: Step, models: Models, reason: str, report: Report
    ) -> tuple[StepResult, Models]:
        created = self._create(step, models)
        started = StepResult(
            step=step, action=StepAction.STARTED, reason=reason, time_limit=created.time_limit
        )
        report(started)
        outcome = created.run()
        result = StepResult(
            step=step,
            action=StepAction.DONE,
            reason=reason,
            outcome=outcome.text,
            status=outcome.status,
            comparison=outcome.comparison,
        )
        return result, outcome.models

    def _decide(self, step: Step, models: Models, *, earlier: Step | None = None) -> Decision:
        """Decide about a step; `earlier` is a planned step whose result is not known yet."""
        if earlier is None and models.champion is None and step in _OF_SERVER:
            return Decision(runs=False, reason="there is no champion")
        if self.from_step and self._is_forced(step):
            return decide_forced(step, self.from_step)
        return decide_dependent(earlier) if earlier else self._create(step, models).decide()

    def _create(self, step: Step, models: Models) -> PipelineStep:
        if step is Step.TUNE:
            return TuneStep(
                context=self.context,
                models=models,
                record=self._tune_record,
                again=self._is_forced(step),
            )
        if step is Step.PROMOTE:
            return PromoteStep(context=self.context, models=models)
        return (WaitStep if step is Step.WAIT else VerifyStep)(context=self.context, models=models)

    def _models(self, history: Sequence[HistoryEntry]) -> Models:
        return Models(
            search=finished_search_of(self._tune_record),
            champion=history[-1].bundle if history else None,
        )

    @cached_property
    def _tune_record(self) -> StepRecord | None:
        return self.context.store.step_record(Step.TUNE)

    @property
    def _steps(self) -> Iterator[Step]:
        return (step for step in Step if step.position <= self.to_step.position)

    def _is_forced(self, step: Step) -> bool:
        return self.from_step is not None and step.position >= self.from_step.position


def _is_planned(result: StepResult) -> bool:
    """Return True if a step is planned that may change the champion."""
    return result.action is StepAction.PLANNED and result.step not in _OF_SERVER
