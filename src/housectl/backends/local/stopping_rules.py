"""When a search ends, and how. Pure."""

from collections.abc import Collection, Iterable

from housectl.backends.local.records import RunOutcome
from housectl.backends.messages import time_limit_reached
from housectl.experiment import (
    Budget,
    ExperimentState,
    Trial,
    failed_trials,
    failure_summary,
)


def too_many_failed(budget: Budget, finished: Iterable[Trial]) -> bool:
    """Return whether so many trials failed that the others are not worth it."""
    return len(failed_trials(finished)) >= budget.max_failed


def time_is_up(budget: Budget, trials: Iterable[Trial], *, now: float) -> bool:
    """Return whether the trials, running ones included, have used the time that there was."""
    left = budget.seconds_left(trials, now=now)
    return left is not None and left <= 0


def outcome_of(budget: Budget, finished: Collection[Trial], *, now: float) -> RunOutcome:
    """Return how a search ended in which no trial is to be started any more."""
    state, reason = ExperimentState.SUCCEEDED, None
    if too_many_failed(budget, finished) or len(failed_trials(finished)) == len(finished):
        state, reason = ExperimentState.FAILED, failure_summary(finished)
    elif len(finished) < budget.trials:
        reason = time_limit_reached(len(finished), budget)
    return RunOutcome(state=state, reason=reason, finished=now)
