"""Steps of `housectl run`, and their results."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from housectl.errors import ExitStatus

if TYPE_CHECKING:
    from housectl.comparison import Comparison


class Step(StrEnum):
    """A step of `housectl run`, in the order in which they run."""

    TUNE = "tune"
    """Search, and seal the best trial as the challenger."""
    PROMOTE = "promote"
    """Make the challenger the champion if it is better."""
    WAIT = "wait"
    """Wait until the server serves the champion."""
    VERIFY = "verify"
    """Verify that the server returns the champion's predictions."""

    @property
    def position(self) -> int:
        """Position in the order of the steps."""
        return list(Step).index(self)


class StepAction(StrEnum):
    """The action of a pipeline on a step."""

    SKIPPED = "skipped"
    """The step is not necessary."""
    PLANNED = "planned"
    """The step would run."""
    STARTED = "started"
    """The step begins."""
    DONE = "done"
    """The step has ended with its status."""


@dataclass(frozen=True, kw_only=True)
class FinishedSearch:
    """A search whose best trial was sealed; `challenger` is the digest of that model."""

    experiment: str
    challenger: str


@dataclass(frozen=True, kw_only=True)
class Models:
    """The models of a pipeline after some of its steps.

    Attributes:
        search: The last finished search; None before the first one.
        champion: Digest of the champion; None without a champion.
        promoted: True if a step of this pipeline made the challenger the champion.
    """

    search: FinishedSearch | None
    champion: str | None
    promoted: bool = False

    @property
    def known_search(self) -> FinishedSearch:
        """The last finished search, for the steps after it."""
        if self.search is None:
            raise ValueError("no search has finished")
        return self.search

    @property
    def known_champion(self) -> str:
        """Digest of the champion, for the steps that need one."""
        if self.champion is None:
            raise ValueError("there is no champion")
        return self.champion


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The decision to run or to skip a step, with the reason in one phrase."""

    runs: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class StepOutcome:
    """The outcome of a step that ran.

    Attributes:
        text: The outcome in one phrase.
        models: The models after the step.
        status: The exit status that follows from the outcome.
        comparison: The verdict, if the step gave one.
    """

    text: str
    models: Models
    status: ExitStatus = ExitStatus.OK
    comparison: "Comparison | None" = None


class PipelineStep(Protocol):
    """A step of one pipeline, with the models after the step before."""

    @property
    def time_limit(self) -> float | None:
        """Time limit of the step in seconds; None for a step that reports its own progress."""

    def decide(self) -> Decision:
        """Decide if the step is necessary. Changes nothing."""

    def run(self) -> StepOutcome:
        """Run the step, and record its success in the store."""


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """A step, and the action on it.

    Attributes:
        reason: The reason for the action, in one phrase.
        outcome: The outcome in one phrase; None until the step is done.
        status: The exit status that follows from the outcome.
        comparison: The verdict, if the step gave one.
        time_limit: Time limit of a started step in seconds; None without one.
    """

    step: Step
    action: StepAction
    reason: str
    outcome: str | None = None
    status: ExitStatus = ExitStatus.OK
    comparison: "Comparison | None" = None
    time_limit: float | None = None


@dataclass(frozen=True, kw_only=True)
class PipelineRun:
    """The result of `housectl run`.

    Attributes:
        steps: All steps, in their order.
        models: The models at the end.
    """

    steps: tuple[StepResult, ...]
    models: Models

    @property
    def status(self) -> ExitStatus:
        """The exit status of a command with this result: that of the last step that has one."""
        statuses = (result.status for result in reversed(self.steps))
        return next((status for status in statuses if status), ExitStatus.OK)

    @property
    def comparison(self) -> "Comparison | None":
        """The verdict; None if no step gave one."""
        return next((result.comparison for result in self.steps if result.comparison), None)
