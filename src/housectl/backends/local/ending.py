"""When a search ends, and how. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable

from housectl.backends.local.records import Outcome
from housectl.experiment import Budget, ExperimentState, Trial, TrialState


def too_many_failed(budget: Budget, finished: Iterable[Trial]) -> bool:
    """Return whether so many trials failed that the others are not worth it."""
    return len(_failed(finished)) >= budget.max_failed


def time_is_up(budget: Budget, trials: Iterable[Trial], *, now: float) -> bool:
    """Return whether the trials, running ones included, have used the time that there was."""
    return budget.seconds is not None and seconds_used(trials, now=now) >= budget.seconds


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


def outcome_of(budget: Budget, finished: Collection[Trial], *, now: float) -> Outcome:
    """Return how a search ended in which no trial is to be started any more."""
    failed = _failed(finished)
    state, reason = ExperimentState.SUCCEEDED, None
    if too_many_failed(budget, finished) or len(failed) == len(finished):
        state = ExperimentState.FAILED
        reason = f"{len(failed)} of {len(finished)} trials failed: {_causes(failed)}."
    elif len(finished) < budget.trials:
        reason = f"Its time was used up after {len(finished)} of {budget.trials} trials."
    return Outcome(state=state, reason=reason, finished=now)


def _failed(trials: Iterable[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.state is TrialState.FAILED]


def _causes(failed: Iterable[Trial]) -> str:
    counted = Counter(trial.cause for trial in failed).most_common()
    return "; ".join(f"{count} x {cause}" for cause, count in counted)
