"""Which assignment comes next: a pure function, whatever the workers and their timing.

Suggestion k sees the results of the trials up to k - 8 and the assignments of the others, as
running ones, so that any number of workers up to 8 gives one and the same list of assignments.
"""

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING

from housectl.contract.parameters import Assignment, Value
from housectl.contract.recipe import derived_seed
from housectl.experiment import Experiment, Parameter, ParameterKind

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

LAG = 8


def inputs_ready(number: int, finished: Container[int]) -> bool:
    """Return whether all results that suggestion `number` depends on are there."""
    return all(earlier in finished for earlier in range(number - LAG + 1))


def enqueued(experiment: Experiment, number: int) -> Assignment | None:
    """Return the assignment of a trial if that was set beforehand."""
    space = experiment.spaces[experiment.family_of(number)]
    turn = number // len(experiment.families)
    return {**space.fixed, **space.enqueued[turn]} if turn < len(space.enqueued) else None


def suggest(
    experiment: Experiment,
    number: int,
    *,
    earlier: Sequence[Assignment],
    objectives: Mapping[int, float],
) -> Assignment:
    """Return the assignment of a trial: enqueued ones first, then those of a TPE.

    The tree-structured Parzen estimator is that of Bergstra et al., "Algorithms for
    hyper-parameter optimization" (2011), in the multivariate form of Falkner et al., "BOHB" (2018).

    Args:
        experiment: Gives the seed, and the space of each family.
        number: The trial's number, from 0.
        earlier: The assignments of all trials with lower numbers, in their order.
        objectives: Objectives by trial number; those after `number - LAG` are not looked at.
    """
    assignment = enqueued(experiment, number)
    if assignment is not None:
        return assignment
    space = experiment.spaces[experiment.family_of(number)]
    return {**space.fixed, **_sampled(experiment, number, earlier, objectives)}


def _sampled(
    experiment: Experiment,
    number: int,
    earlier: Sequence[Assignment],
    objectives: Mapping[int, float],
) -> Assignment:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    family = experiment.family_of(number)
    parameters = experiment.spaces[family].parameters
    sampler = optuna.samplers.TPESampler(
        multivariate=True,
        constant_liar=True,
        seed=derived_seed(experiment.seed, f"trial {number}"),
    )
    study = optuna.create_study(sampler=sampler)
    for other, assignment in enumerate(earlier[:number]):
        # An enqueued assignment may lie outside of the space, where the estimator is not defined.
        if experiment.family_of(other) is family and _within(parameters, assignment):
            objective = objectives.get(other) if other <= number - LAG else None
            study.add_trial(_frozen(parameters, assignment, objective))
    chosen = study.ask(_distributions(parameters)).params
    return {parameter.name: _value(parameter, chosen[parameter.name]) for parameter in parameters}


def _frozen(
    parameters: Sequence[Parameter], assignment: Assignment, objective: float | None
) -> "FrozenTrial":
    """Return a trial as Optuna has it; without an objective it runs, also when it failed.

    The sampler keeps away from running trials, and a failed one is best kept away from, too.
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


def _within(parameters: Sequence[Parameter], assignment: Assignment) -> bool:
    return all(_contains(parameter, assignment.get(parameter.name)) for parameter in parameters)


def _contains(parameter: Parameter, value: Value | None) -> bool:
    if parameter.minimum is None or parameter.maximum is None:
        return value in parameter.choices
    return isinstance(value, int | float) and parameter.minimum <= value <= parameter.maximum


def _value(parameter: Parameter, value: Value) -> Value:
    """Return a value as plain Python has it, so that it is written alike everywhere."""
    match parameter.kind:
        case ParameterKind.INT:
            return int(value)
        case ParameterKind.DOUBLE:
            return float(value)
        case ParameterKind.CATEGORICAL:
            return value
