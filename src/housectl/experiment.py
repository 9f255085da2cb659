"""Experiments and their trials: the vocabulary that every backend shares. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.errors import UsageError

MODELS_TO_KEEP = 3

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?")


def check_name(name: str) -> None:
    """Check that every backend can call an experiment so.

    Raises:
        UsageError: It has other characters, or more than 40 of them.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"An experiment cannot be called {name!r}: a name has up to 40 lower-case letters, "
            "digits and dashes, and begins with a letter.",
            hint="housectl tune   # makes a name of the time",
        )


class ParameterKind(StrEnum):
    """What values a parameter has."""

    INT = "int"
    DOUBLE = "double"
    CATEGORICAL = "categorical"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A name with a range: bounds are inclusive; `choices` stands for them when categorical."""

    name: str
    kind: ParameterKind
    minimum: float | None = None
    maximum: float | None = None
    log: bool = False
    choices: tuple[Value, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """What a family's trials choose from.

    Attributes:
        fixed: Part of every assignment.
        enqueued: Assignments of the parameters that are tried first, where the backend can.
    """

    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, Value] = field(default_factory=dict)
    enqueued: tuple[Mapping[str, Value], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Budget:
    """When a search ends: after `trials`, or after `seconds`, whichever comes first."""

    trials: int
    seconds: float | None = None
    max_failed: int = 3

    def seconds_left(self, trials: "Iterable[Trial]", *, now: float) -> float | None:
        """Return how much of the time the trials have left; None where nothing limits it.

        Args:
            trials: Finished and running ones.
            now: Seconds since the epoch.
        """
        return None if self.seconds is None else self.seconds - seconds_used(trials, now=now)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one trial may use: seconds of wall time, bytes of memory."""

    seconds: float | None = None
    memory: int | None = None


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One search. With several families they take turns, so that each gets its share."""

    name: str
    spaces: Mapping[Family, SearchSpace]
    budget: Budget
    limits: Limits
    workers: int
    seed: int

    @property
    def families(self) -> tuple[Family, ...]:
        """The families in the order in which they take turns."""
        return tuple(sorted(self.spaces))

    def family_of(self, number: int) -> Family:
        """Return the family of the trial with this number."""
        return self.families[number % len(self.families)]


class TrialState(StrEnum):
    """Where a trial stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training with one assignment.

    Attributes:
        name: What the backend calls it.
        mse: The objective, if it succeeded.
        cause: Why it failed, or what it waits for.
        started, finished: Seconds since the epoch.
    """

    number: int
    name: str
    family: Family
    assignment: Mapping[str, Value]
    state: TrialState
    mse: float | None = None
    cause: str | None = None
    started: float | None = None
    finished: float | None = None


class ExperimentState(StrEnum):
    """Where an experiment, or a task, stands."""

    CREATED = "created"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self not in {ExperimentState.CREATED, ExperimentState.RUNNING}


def rank_trials(trials: Iterable[Trial]) -> list[tuple[float, Trial]]:
    """Return the trials that have an objective, best first; of equals the earlier one."""
    scored = [
        (trial.mse, trial)
        for trial in trials
        if trial.state is TrialState.SUCCEEDED and trial.mse is not None
    ]
    return sorted(scored, key=lambda pair: (pair[0], pair[1].number))


def best_trial(trials: Iterable[Trial]) -> Trial | None:
    """Return the trial with the lowest objective, the earlier one of equals."""
    return next((trial for _, trial in rank_trials(trials)), None)


def failed_trials(trials: Iterable[Trial]) -> list[Trial]:
    """Return the trials that failed."""
    return [trial for trial in trials if trial.state is TrialState.FAILED]


def failure_summary(trials: Iterable[Trial]) -> str:
    """Return how many trials failed, and of what, the most frequent cause first."""
    known = list(trials)
    failed = failed_trials(known)
    counted = Counter(trial.cause or "unknown" for trial in failed).most_common()
    causes = "; ".join(f"{count} x {cause}" for cause, count in counted)
    return f"{len(failed)} of {len(known)} trials failed: {causes.rstrip('.')}."


def seconds_used(trials: Iterable[Trial], *, now: float) -> float:
    """Return for how long at least one of the trials ran; pauses of the search do not count.

    Args:
        trials: Finished and running ones.
        now: Seconds since the epoch, at which running trials still run.
    """
    used = covered = 0.0
    spans = [(trial.started or now, trial.finished or now) for trial in trials]
    for started, finished in sorted(spans):
        used += max(0.0, finished - max(started, covered))
        covered = max(covered, finished)
    return used


def estimate_seconds_left(
    experiment: Experiment, trials: Iterable[Trial], now: float
) -> float | None:
    """Return about how long a search will go on, in seconds; None before its first trial has ended.

    The trials that are left take as long as those that ended, on as many workers; trials in flight
    count for what they still need.
    """
    known = list(trials)
    durations = [
        trial.finished - trial.started
        for trial in known
        if trial.started is not None and trial.finished is not None
    ]
    if not durations:
        return None
    mean = sum(durations) / len(durations)
    running = [now - (trial.started or now) for trial in known if trial.finished is None]
    waiting = max(experiment.budget.trials - len(known), 0)
    left = waiting * mean + sum(max(mean - spent, 0.0) for spent in running)
    return left / experiment.workers
