"""The next trials of a search: the pure function behind every request for suggestions."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as count_from
from itertools import islice

import grpc

from housectl.contract.parameters import Assignment
from housectl.experiment import Experiment
from housectl.search.katib_texts import SearchSetting, trial_name
from housectl.search.sampler import missing_result, rival_of, suggest
from housectl_suggestion.request_error import RequestError
from housectl_suggestion.trial_history import TrialHistory


@dataclass(frozen=True, kw_only=True)
class SuggestedTrial:
    """A trial to run.

    Attributes:
        rival: Number of the trial whose fold errors it has to beat; None without one.
    """

    number: int
    assignment: Assignment
    rival: int | None


def next_trials(
    setting: SearchSetting, history: TrialHistory, *, suggested: int, count: int
) -> Iterator[SuggestedTrial]:
    """Yield the next trials in the order of their numbers.

    Missing numbers are those that did not end before the search was resumed, then the higher ones.
    A trial that was suggested but is not in the history failed.

    Args:
        setting: The search.
        history: Its known trials.
        suggested: Number of trials that were suggested since the search was resumed.
        count: Number of trials to yield.

    Raises:
        RequestError: A suggestion depends on a trial that has not ended.
    """
    experiment = setting.experiment
    own = list(islice(_unused_numbers(setting), suggested + count))
    ended = _ended_trials(history, own, suggested=suggested)
    assignments: list[Assignment] = []
    for number in own[suggested:]:
        missing = missing_result(number, ended, lag=experiment.lag)
        if missing is not None:
            raise _waiting(experiment, missing)
        _extend(assignments, experiment, history, number)
        rival = rival_of(number, history.objectives, lag=experiment.lag)
        yield SuggestedTrial(
            number=number,
            assignment=assignments[number],
            rival=rival if experiment.prune else None,
        )


def _unused_numbers(setting: SearchSetting) -> Iterator[int]:
    earlier = {trial.number for trial in setting.earlier}
    return (number for number in count_from() if number not in earlier)


def _ended_trials(history: TrialHistory, own: list[int], *, suggested: int) -> set[int]:
    """Return the numbers of the trials that ended, with those that Katib does not mention.

    Katib forgets its suggestions if a user deletes its object, so later trials also show that a
    trial was suggested.
    """
    last = max((number for number in own if number in history.assignments), default=-1)
    lost = {number for number in own if number < last} | {*own[:suggested]}
    return (lost | history.assignments.keys()) - history.running


def _extend(
    assignments: list[Assignment], experiment: Experiment, history: TrialHistory, last: int
) -> None:
    """Append the assignments up to that of trial `last`; those of unknown trials follow again."""
    for number in range(len(assignments), last + 1):
        known = history.assignments.get(number)
        assignments.append(
            suggest(experiment, number, earlier=assignments, objectives=history.objectives)
            if known is None
            else known
        )


def _waiting(experiment: Experiment, number: int) -> RequestError:
    name = trial_name(experiment, number)
    # After UNAVAILABLE, Katib's client would repeat this request for half a minute.
    return RequestError(
        grpc.StatusCode.ABORTED,
        f"waiting for trial {name}, whose result the next suggestion depends on",
    )
