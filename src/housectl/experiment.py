"""Experiments and trials, the types that all backends share. Pure."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.errors import UsageError

MODELS_TO_KEEP = 3
MIN_LAG = 8

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?")


def check_name(name: str) -> None:
    """Check that every backend accepts the name of an experiment.

    Raises:
        UsageError: It is too long, or has invalid characters.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"The experiment name {name!r} is invalid: use up to 40 lower-case letters, digits and "
            "dashes, starting with a letter.",
            hint="housectl tune   # generates a timestamped name",
        )


def lag_of(workers: int) -> int:
    """Return the smallest of 8, 16, 32, … that is at least the number of workers."""
    lag = MIN_LAG
    while lag < workers:
        lag *= 2
    return lag


class ParameterKind(StrEnum):
    """Type of a parameter's values."""

    INT = "int"
    DOUBLE = "double"
    CATEGORICAL = "categorical"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A hyperparameter with its inclusive bounds or, if categorical, its choices.

    Attributes:
        step: Distance of the values from the minimum upward; None for all values.
    """

    name: str
    kind: ParameterKind
    minimum: float | None = None
    maximum: float | None = None
    log: bool = False
    step: float | None = None
    choices: tuple[Value, ...] = ()

    @property
    def spacing(self) -> float | None:
        """Distance of the numbers; 1 for integers without a step, None for all numbers."""
        return 1 if self.step is None and self.kind is ParameterKind.INT else self.step

    def nearest(self, number: float) -> int | float:
        """Return the parameter's number that is nearest to another number.

        Decimals make steps of 0.1 exact: 0.3 instead of 0.30000000000000004.
        """
        if self.minimum is None or self.maximum is None:
            raise TypeError(f"the parameter {self.name} has no range")
        inside = min(max(number, self.minimum), self.maximum)
        if self.spacing is None:
            return float(inside)
        minimum, step = Decimal(str(self.minimum)), Decimal(str(self.spacing))
        last = int((Decimal(str(self.maximum)) - minimum) / step)
        exact = minimum + step * min(round((Decimal(inside) - minimum) / step), last)
        return int(exact) if self.kind is ParameterKind.INT else float(exact)


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """The search space of one family.

    Attributes:
        fixed: Constants that every assignment contains.
        enqueued: Assignments to try first; Katib's own algorithms do not.
    """

    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, Value] = field(default_factory=dict)
    enqueued: tuple[Mapping[str, Value], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits of a search: it ends after `trials` or `seconds`, or after `max_failed` failures."""

    trials: int
    seconds: float | None = None
    max_failed: int = 3

    def remaining_seconds(self, trials: "Iterable[Trial]", *, now: float) -> float | None:
        """Return the remaining time of a search in seconds; None without a time limit.

        Args:
            trials: Finished and running ones.
            now: Seconds since the epoch.
        """
        return None if self.seconds is None else self.seconds - seconds_used(trials, now=now)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one trial: seconds of wall time, bytes of memory."""

    seconds: float | None = None
    memory: int | None = None


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One search. Several families take turns in rounds, which their definitions divide.

    Attributes:
        workers: Number of trials that run at the same time.
        lag: A suggestion uses the results of trials whose number is lower by at least this.
        prune: True to end trials that can hardly beat the best trial before them.
    """

    name: str
    spaces: Mapping[Family, SearchSpace]
    budget: Budget
    limits: Limits
    workers: int
    seed: int
    lag: int = MIN_LAG
    prune: bool = True

    # Searches with many trials ask thousands of times.
    @cached_property
    def families_in_turn(self) -> tuple[Family, ...]:
        """The families in the order in which they take turns."""
        return tuple(sorted(self.spaces))

    def family_at_turn(self, number: int) -> Family:
        """Return the family of the trial with this number."""
        families = self._round
        return families[number % len(families)]

    def numbers_of(self, family: Family, *, below: int) -> list[int]:
        """Return the numbers of a family's trials below a number."""
        families = self._round
        return [number for number in range(below) if families[number % len(families)] is family]

    def turns_before(self, number: int, family: Family) -> int:
        """Return the number of a family's trials among those with lower numbers."""
        families = self._round
        rounds, rest = divmod(number, len(families))
        return rounds * families.count(family) + families[:rest].count(family)

    def estimate_remaining_seconds(self, trials: "Iterable[Trial]", *, now: float) -> float | None:
        """Estimate the remaining seconds of the search; None before its first trial has ended.

        Each remaining trial is assumed to take as long as the mean finished one. A running trial
        counts with its remaining part.

        Args:
            trials: Finished and running trials.
            now: Seconds since the epoch.
        """
        started = list(trials)
        durations = [trial.seconds for trial in started if trial.seconds is not None]
        if not durations:
            return None
        mean = sum(durations) / len(durations)
        running = [now - (trial.started or now) for trial in started if trial.finished is None]
        not_started = max(self.budget.trials - len(started), 0)
        left = not_started * mean + sum(max(mean - seconds, 0.0) for seconds in running)
        return left / self.workers

    @cached_property
    def _round(self) -> tuple[Family, ...]:
        """The families of the trials of one round; those with fewer turns miss the last ones."""
        most = max(family.definition.turns for family in self.spaces)
        return tuple(
            family
            for turn in range(most)
            for family in self.families_in_turn
            if turn < family.definition.turns
        )


class TrialState(StrEnum):
    """State of a trial."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PRUNED = "pruned"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training with one assignment.

    Attributes:
        name: Its name on the backend.
        mse: The objective, if it succeeded; an estimate of it, if it was pruned.
        pruned_after: Number of folds after which it was pruned.
        cause: Cause of its failure or delay.
        started, finished: Seconds since the epoch.
    """

    number: int
    name: str
    family: Family
    assignment: Mapping[str, Value]
    state: TrialState
    mse: float | None = None
    pruned_after: int | None = None
    cause: str | None = None
    started: float | None = None
    finished: float | None = None

    @property
    def seconds(self) -> float | None:
        """Duration of the trial; None until it has ended."""
        if self.started is None or self.finished is None:
            return None
        return self.finished - self.started


class ExperimentState(StrEnum):
    """State of an experiment or a task; a deleted one still has some files or objects."""

    CREATED = "created"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    DELETED = "deleted"

    @property
    def ended(self) -> bool:
        """True if the state can only change by a user's command."""
        return self not in {ExperimentState.CREATED, ExperimentState.RUNNING}

    @property
    def may_continue(self) -> bool:
        """True if more trials may start, at once or after a resume."""
        return not self.ended or self in {ExperimentState.STOPPED, ExperimentState.INTERRUPTED}


def rank_trials(trials: Iterable[Trial]) -> list[tuple[float, Trial]]:
    """Return the trials with an objective, best first; ties go to the earlier trial."""
    return sorted(_scored(trials), key=_rank)


def possible_rivals(trials: Iterable[Trial]) -> list[Trial]:
    """Return the trials that are better than all earlier ones.

    Only these can be the rival of a trial that has not started yet.
    """
    rivals, lowest = [], math.inf
    for mse, trial in sorted(_scored(trials), key=lambda pair: pair[1].number):
        if mse < lowest:
            rivals.append(trial)
            lowest = mse
    return rivals


def best_trial(trials: Iterable[Trial]) -> Trial | None:
    """Return the trial with the lowest objective; ties go to the earlier trial."""
    best = min(_scored(trials), key=_rank, default=None)
    return best[1] if best else None


def failed_trials(trials: Iterable[Trial]) -> list[Trial]:
    """Return the trials that failed."""
    return [trial for trial in trials if trial.state is TrialState.FAILED]


def failure_summary(trials: Iterable[Trial]) -> str:
    """Return the number of failed trials and their causes, most frequent first."""
    listed = list(trials)
    failed = failed_trials(listed)
    counts = Counter(trial.cause or "unknown" for trial in failed).most_common()
    causes = "; ".join(f"{count} x {cause}" for cause, count in counts)
    return f"{len(failed)} of {len(listed)} trials failed: {causes.rstrip('.')}."


def seconds_used(trials: Iterable[Trial], *, now: float) -> float:
    """Return the time during which at least one trial ran; pauses do not count.

    Args:
        trials: Finished and running ones.
        now: Seconds since the epoch; the end of running trials.
    """
    used = covered = 0.0
    spans = [(trial.started or now, trial.finished or now) for trial in trials]
    for started, finished in sorted(spans):
        used += max(0.0, finished - max(started, covered))
        covered = max(covered, finished)
    return used


def _scored(trials: Iterable[Trial]) -> Iterator[tuple[float, Trial]]:
    """Yield the trials with an objective that is no estimate."""
    for trial in trials:
        if trial.state is TrialState.SUCCEEDED and trial.mse is not None:
            yield trial.mse, trial


def _rank(scored: tuple[float, Trial]) -> tuple[float, int]:
    mse, trial = scored
    return mse, trial.number
