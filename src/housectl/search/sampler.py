"""The sampler: a pure function that returns the next assignment.

Suggestion k uses the results of the trials up to k - lag. Later trials count as running, whatever
their state. So any number of workers up to the lag yields the same list of assignments.
"""

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING

from housectl.contract.parameters import Assignment, Value
from housectl.contract.recipe import derived_seed
from housectl.experiment import Experiment, Parameter, ParameterKind

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

SAMPLER_VERSION = 1
"""Version of the sampler. Equal versions yield the same list from the same results."""


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
    """Return the assignment of a trial: an enqueued one, or else one from a TPE.

    The tree-structured Parzen estimator is that of Bergstra et al., "Algorithms for
    hyper-parameter optimization" (2011), in the multivariate form of Falkner et al., "BOHB" (2018).

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
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    family = experiment.family_at_turn(number)
    parameters = experiment.spaces[family].parameters
    sampler = optuna.samplers.TPESampler(
        multivariate=True,
        constant_liar=True,
        seed=derived_seed(experiment.seed, f"trial {number}"),
    )
    study = optuna.create_study(sampler=sampler)
    for earlier_number, assignment in enumerate(earlier[:number]):
        # The estimator is undefined for an enqueued assignment outside the space.
        if experiment.family_at_turn(earlier_number) is family and _is_within_space(
            parameters, assignment
        ):
            objective = (
                objectives.get(earlier_number)
                if earlier_number <= number - experiment.lag
                else None
            )
            study.add_trial(_optuna_trial(parameters, assignment, objective))
    chosen = study.ask(_distributions(parameters)).params
    return {
        parameter.name: _to_plain_value(parameter, chosen[parameter.name])
        for parameter in parameters
    }


def _optuna_trial(
    parameters: Sequence[Parameter], assignment: Assignment, objective: float | None
) -> "FrozenTrial":
    """Return Optuna's record of a trial; one without an objective counts as running.

    The sampler avoids running trials. Failed trials count as running, so it avoids them too.
    """
    from optuna.trial import TrialState, create_trial

    return create_trial(
        state=TrialState.RUNNING if objective is None else TrialState.COMPLETE,
        value=objective,
        params={parameter.name: assignment[parameter.name] for parameter in parameters},
        distributions=_distributions(parameters),
    )


def _distributions(parameters: Sequence[Parameter]) -> "dict[str, BaseDistribution]":
    return {parameter.name: _distribution(parameter) for parameter in parameters}


def _distribution(parameter: Parameter) -> "BaseDistribution":
    from optuna import distributions

    if parameter.minimum is None or parameter.maximum is None:
        return distributions.CategoricalDistribution(parameter.choices)
    if parameter.kind is ParameterKind.INT:
        return distributions.IntDistribution(
            int(parameter.minimum), int(parameter.maximum), log=parameter.log
        )
    return distributions.FloatDistribution(parameter.minimum, parameter.maximum, log=parameter.log)


def _is_within_space(parameters: Sequence[Parameter], assignment: Assignment) -> bool:
    return all(_is_in_range(parameter, assignment.get(parameter.name)) for parameter in parameters)


def _is_in_range(parameter: Parameter, value: Value | None) -> bool:
    if parameter.minimum is None or parameter.maximum is None:
        return value in parameter.choices
    return isinstance(value, int | float) and parameter.minimum <= value <= parameter.maximum


def _to_plain_value(parameter: Parameter, value: Value) -> Value:
    """Return a value as a plain Python type, so that all records write it alike."""
    match parameter.kind:
        case ParameterKind.INT:
            return int(value)
        case ParameterKind.DOUBLE:
            return float(value)
        case ParameterKind.CATEGORICAL:
            return value
