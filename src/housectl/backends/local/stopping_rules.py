"""Stopping rules and the outcome of a search. Pure."""

from collections.abc import Collection, Iterable

from housectl.backends.local.records import RunOutcome
from housectl.backends.messages import time_limit_reason
from housectl.experiment import (
    Budget,
    ExperimentState,
    Trial,
    failed_trials,
    failure_summary,
)


def too_many_failures(budget: Budget, finished: Iterable[Trial]) -> bool:
    """Return True if the number of failed trials ends the search."""
    return len(failed_trials(finished)) >= budget.max_failed


def time_limit_reached(budget: Budget, *, used: float) -> bool:
    """Return True if the search has used up its time limit.

    Args:
        budget: The limits of the search.
        used: Seconds during which at least one trial ran.
    """
    return budget.seconds is not None and used >= budget.seconds


def outcome_of(budget: Budget, finished: Collection[Trial], *, now: float) -> RunOutcome:
    """Return the outcome of a search that starts no more trials."""
    state, reason = ExperimentState.SUCCEEDED, None
    if too_many_failures(budget, finished) or len(failed_trials(finished)) == len(finished):
        state, reason = ExperimentState.FAILED, failure_summary(finished)
    elif len(finished) < budget.trials:
        reason = time_limit_reason(len(finished), budget)
    return RunOutcome(state=state, reason=reason, finished=now)
