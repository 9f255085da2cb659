"""Stopping rules and outcomes of local searches."""

import pytest

from housectl.backends.local.stopping_rules import outcome_of, time_limit_reached, too_many_failures
from housectl.contract.families import Family
from housectl.experiment import Budget, ExperimentState, Trial, TrialState, seconds_used

BUDGET = Budget(trials=4, seconds=10, max_failed=2)


def trial(
    number: int, started: float = 0, finished: float | None = 1, cause: str | None = None
) -> Trial:
    state = TrialState.RUNNING if finished is None else TrialState.SUCCEEDED
    return Trial(
        number=number,
        name=f"{number:04}",
        family=Family.XGBOOST,
        assignment={},
        state=TrialState.FAILED if cause else state,
        mse=None if cause else 1.0,
        cause=cause,
        started=started,
        finished=finished,
    )


def test_time_of_parallel_trials_counts_once() -> None:
    assert seconds_used([], now=100) == 0
    assert seconds_used([trial(0, 1, 5), trial(1, 2, 4), trial(2, 4, 7)], now=100) == 6


def test_pause_between_stop_and_resume_does_not_count() -> None:
    assert seconds_used([trial(0, 1, 3), trial(1, 1000, 1004)], now=2000) == 6


def test_running_trials_count_towards_time_limit() -> None:
    trials = [trial(0, 1, 3), trial(1, 2, None)]
    assert seconds_used(trials, now=9) == 8
    assert not time_limit_reached(BUDGET, used=seconds_used(trials, now=9))
    assert time_limit_reached(BUDGET, used=seconds_used(trials, now=11))
    assert not time_limit_reached(Budget(trials=4), used=seconds_used(trials, now=10**9))


def test_search_with_all_trials_succeeds() -> None:
    outcome = outcome_of(BUDGET, [trial(number) for number in range(4)], now=7)
    assert (outcome.state, outcome.reason) == (ExperimentState.SUCCEEDED, None)
    assert outcome.finished == 7


def test_failures_below_limit_do_not_end_search() -> None:
    trials = [trial(0, cause="timed out"), *map(trial, range(1, 4))]
    assert not too_many_failures(BUDGET, trials)
    assert outcome_of(BUDGET, trials, now=1).state is ExperimentState.SUCCEEDED


@pytest.mark.parametrize("others", [0, 2])
def test_failure_reason_counts_causes(others: int) -> None:
    causes = ["timed out", "out of memory", "timed out"]
    failed = [trial(number, cause=cause) for number, cause in enumerate(causes)]
    trials = [*failed, *(trial(3 + number) for number in range(others))]
    outcome = outcome_of(BUDGET, trials, now=1)
    assert too_many_failures(BUDGET, trials)
    assert outcome.state is ExperimentState.FAILED
    assert outcome.reason == (f"3 of {3 + others} trials failed: 2 x timed out; 1 x out of memory.")


def test_search_without_success_fails() -> None:
    outcome = outcome_of(BUDGET, [trial(0, cause="timed out")], now=1)
    assert outcome.state is ExperimentState.FAILED
