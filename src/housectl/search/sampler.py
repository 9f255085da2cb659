"""The sampler: a pure function that returns the next assignment.

Suggestion k uses the results of the trials up to k - lag. Later trials count as running, whatever
their state. So any number of workers up to the lag yields the same list of assignments.
"""

from collections.abc import Container, Mapping, Sequence
from random import Random

from housectl.contract.parameters import Assignment, Value
from housectl.contract.recipe import derived_seed
from housectl.experiment import Experiment, Parameter

SAMPLER_VERSION = 1
"""Version of the sampler. Equal versions yield the same list from the same results."""

# Assignments are random until this number of a family's trials have results.
_RANDOM_TRIALS = 10
# One in so many trials counts as good.
_TRIALS_FOR_EACH_GOOD_ONE = 10
_MOST_GOOD = 25


def missing_result(number: int, finished: Container[int], *, lag: int) -> int | None:
    """Return the first trial without a result that suggestion `number` depends on, or None."""
    return next((earlier for earlier in range(number - lag + 1) if earlier not in finished), None)


def rival_of(number: int, objectives: Mapping[int, float], *, lag: int) -> int | None:
    """Return the best trial whose result suggestion `number` may use, or None.

    Args:
        number: Number of the suggested trial.
        objectives: Objectives by trial number; pruned trials may be among them.
        lag: The lag of the experiment.
    """
    known = [earlier for earlier in objectives if earlier <= number - lag]
    return min(known, key=lambda earlier: (objectives[earlier], earlier), default=None)


def enqueued_assignment(experiment: Experiment, number: int) -> Assignment | None:
    """Return the enqueued assignment of a trial, or None."""
    family = experiment.family_at_turn(number)
    space, turn = experiment.spaces[family], experiment.turns_before(number, family)
    return {**space.fixed, **space.enqueued[turn]} if turn < len(space.enqueued) else None


def suggest(
    experiment: Experiment,
    number: int,
    *,
    earlier: Sequence[Assignment],
    objectives: Mapping[int, float],
) -> Assignment:
    """Return the assignment of a trial: an enqueued one, or else one from the sampler.

    Failed trials have no objective. The sampler avoids their assignments, as those of running ones.

    Args:
        experiment: Has the seed, and the space of each family.
        number: The trial's number, from 0.
        earlier: The assignments of all trials with lower numbers, in order.
        objectives: Objectives by trial number; those after `number - lag` are ignored.
    """
    assignment = enqueued_assignment(experiment, number)
    if assignment is not None:
        return assignment
    space = experiment.spaces[experiment.family_at_turn(number)]
    return {**space.fixed, **_sample(experiment, number, earlier, objectives)}


def _sample(
    experiment: Experiment,
    number: int,
    earlier: Sequence[Assignment],
    objectives: Mapping[int, float],
) -> Assignment:
    # Commands that start no search must not import numpy.
    from housectl.search.tpe import promising_assignment, random_assignment

    family = experiment.family_at_turn(number)
    space = experiment.spaces[family]
    # The standard library promises the same numbers in each version.
    random = Random(derived_seed(experiment.seed, f"trial {number}"))  # noqa: S311
    numbers = _usable_trials(experiment, number, earlier)
    known = [own for own in numbers if own <= number - experiment.lag and own in objectives]
    if len(known) < _RANDOM_TRIALS:
        return random_assignment(space.parameters, random)
    best_first = sorted(known, key=lambda own: (objectives[own], own))
    good = {*best_first[: _number_of_good(len(known))]}
    return promising_assignment(
        space.parameters,
        good=[earlier[own] for own in numbers if own in good],
        bad=[earlier[own] for own in numbers if own not in good],
        random=random,
    )


def _number_of_good(known: int) -> int:
    return min(-(-known // _TRIALS_FOR_EACH_GOOD_ONE), _MOST_GOOD)


def _usable_trials(experiment: Experiment, number: int, earlier: Sequence[Assignment]) -> list[int]:
    """Return the family's earlier trials, without those that were enqueued outside its space."""
    family = experiment.family_at_turn(number)
    space = experiment.spaces[family]
    numbers = experiment.numbers_of(family, below=number)
    enqueued, sampled = numbers[: len(space.enqueued)], numbers[len(space.enqueued) :]
    return [own for own in enqueued if _is_within_space(space.parameters, earlier[own])] + sampled


def _is_within_space(parameters: Sequence[Parameter], assignment: Assignment) -> bool:
    return all(_is_in_range(parameter, assignment.get(parameter.name)) for parameter in parameters)


def _is_in_range(parameter: Parameter, value: Value | None) -> bool:
    if parameter.minimum is None or parameter.maximum is None:
        return value in parameter.choices
    return isinstance(value, int | float) and parameter.minimum <= value <= parameter.maximum
