"""Trials of an experiment: which of them later ones are compared with."""

from housectl.contract.families import Family
from housectl.experiment import ExperimentState, Trial, TrialState, possible_rivals


def trial(number: int, mse: float | None, state: TrialState = TrialState.SUCCEEDED) -> Trial:
    return Trial(
        number=number,
        name=f"{number:04}",
        family=Family.XGBOOST,
        assignment={},
        state=state,
        mse=mse,
    )


def test_possible_rivals_are_better_than_all_earlier_trials() -> None:
    trials = [
        trial(4, 2.0),
        trial(0, 5.0),
        trial(1, 6.0),
        trial(2, 4.0, TrialState.PRUNED),
        trial(3, None, TrialState.FAILED),
        trial(5, 2.0),
        trial(6, 1.0),
    ]
    assert [each.number for each in possible_rivals(trials)] == [0, 4, 6]
    assert possible_rivals([]) == []


def test_only_a_search_that_may_continue_needs_its_rivals() -> None:
    continuing = {state for state in ExperimentState if state.may_continue}
    assert continuing == {
        ExperimentState.CREATED,
        ExperimentState.RUNNING,
        ExperimentState.STOPPED,
        ExperimentState.INTERRUPTED,
    }
