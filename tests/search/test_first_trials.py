"""Number of trials that can start at once."""

from housectl.experiment import MIN_LAG
from housectl.search.first_trials import startable_trials


def test_as_many_trials_as_the_lag_can_start_at_first() -> None:
    assert startable_trials((), lag=MIN_LAG) == MIN_LAG
    assert startable_trials(range(20), lag=MIN_LAG) == MIN_LAG


def test_trial_that_depends_on_an_interrupted_one_cannot_start() -> None:
    # Trials 5 and 10 to 12; trial 13 depends on trial 5.
    assert startable_trials({*range(12)} - {5, 10}, lag=MIN_LAG) == 3
    assert startable_trials({*range(12)} - {4, 11}, lag=MIN_LAG) == 2
