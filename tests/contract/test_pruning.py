"""The rule that ends a trial before its last fold."""

import pytest

from housectl.contract.pruning import can_hardly_win, estimated_objective

RIVAL = (10.0, 12.0, 8.0, 11.0, 9.0)


def test_trial_that_is_better_on_each_fold_goes_to_the_end() -> None:
    for folds in range(1, 6):
        assert not can_hardly_win([mse - 0.5 for mse in RIVAL[:folds]], RIVAL)


def test_equal_trial_goes_to_the_end() -> None:
    for folds in range(1, 6):
        assert not can_hardly_win(RIVAL[:folds], RIVAL)


def test_trial_that_is_much_worse_ends_after_its_first_fold() -> None:
    assert can_hardly_win([16.0], RIVAL)


def test_trial_that_is_slightly_worse_ends_later() -> None:
    worse = [mse + 0.7 for mse in RIVAL]
    ends = [folds for folds in range(1, 5) if can_hardly_win(worse[:folds], RIVAL)]
    assert ends
    assert ends[0] > 1


def test_last_fold_ends_no_trial() -> None:
    assert not can_hardly_win([100.0] * 5, RIVAL)


def test_estimate_corrects_for_the_difficulty_of_folds() -> None:
    assert estimated_objective([12.0, 14.0], RIVAL) == pytest.approx(12.0)
    assert estimated_objective(RIVAL, RIVAL) == pytest.approx(10.0)
