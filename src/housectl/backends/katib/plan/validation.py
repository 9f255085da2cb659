"""Validation of plans that Katib would accept although the search would then hang or fail. Pure."""

import re
from collections.abc import Iterable, Iterator

from housectl.backends.base import Task
from housectl.backends.katib.plan.algorithm import SKOPT
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.plan.object_size import max_trials
from housectl.backends.katib.plan.sub_experiments import (
    MAX_NAME_LENGTH,
    searches_all_families,
    sub_experiments,
)
from housectl.contract.families import Family
from housectl.errors import UsageError
from housectl.experiment import Experiment, Parameter, ParameterKind, SearchSpace

_MAX_JOB_NAME_LENGTH = 63
# Katib's webhook joins the words of a command with spaces, and a shell splits the result.
_SHELL_SAFE = re.compile(r"[A-Za-z0-9_.,:/@%+=-]+")


def validate_plan(plan: KatibPlan) -> None:
    """Validate a plan before any object is created.

    Raises:
        UsageError: Katib would accept the plan and then hang or fail; the message has all reasons.
    """
    workload = plan.workload
    problems = list(
        _task_problems(workload)
        if isinstance(workload, Task)
        else _experiment_problems(workload, plan.record.settings.algorithm)
    )
    if problems:
        raise UsageError(
            f"Katib cannot run {workload.name}: {'; '.join(problems)}.",
            hint="Change `space:`, `budget:` or `katib:` in housectl.yaml; then housectl render "
            "shows the result.",
        )


def _task_problems(task: Task) -> Iterator[str]:
    if len(task.name) > _MAX_JOB_NAME_LENGTH:
        yield f"the name of its Job is longer than {_MAX_JOB_NAME_LENGTH} characters"
    yield from _unsafe_values(str(value) for value in task.assignment.values())


def _experiment_problems(experiment: Experiment, algorithm: str) -> Iterator[str]:
    for sub_experiment in sub_experiments(experiment, algorithm=algorithm):
        if len(sub_experiment.name) > MAX_NAME_LENGTH:
            yield (
                f"the name of its Katib Experiment, {sub_experiment.name}, is longer than "
                f"{MAX_NAME_LENGTH} characters"
            )
    if searches_all_families(algorithm) and experiment.budget.trials > max_trials(experiment):
        yield (
            f"Katib keeps the assignments of all trials in one object, which has room for "
            f"{max_trials(experiment):,} of {experiment.budget.trials:,} trials"
        )
    for family, space in experiment.spaces.items():
        yield from _space_problems(family, space, algorithm)


def _space_problems(family: Family, space: SearchSpace, algorithm: str) -> Iterator[str]:
    if not space.parameters and not searches_all_families(algorithm):
        yield f"{family} has no parameter with a range or choices, and Katib needs one"
    for parameter in space.parameters:
        yield from _parameter_problems(parameter, algorithm)
    choices = [str(choice) for item in space.parameters for choice in item.choices]
    yield from _unsafe_values([*choices, *map(str, space.fixed.values())])


def _parameter_problems(parameter: Parameter, algorithm: str) -> Iterator[str]:
    name, minimum, maximum = parameter.name, parameter.minimum, parameter.maximum
    if minimum is None or maximum is None:
        if not parameter.choices:
            yield f"{name} has no choices"
        return
    if not minimum < maximum:
        yield f"{name}: max ({maximum:g}) must be greater than min ({minimum:g})"
    if algorithm == SKOPT and parameter.kind is ParameterKind.DOUBLE and minimum <= 0:
        yield (
            f"{name}: min ({minimum:g}) must be greater than 0, because {SKOPT} searches on a "
            "logarithmic scale"
        )


def _unsafe_values(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        if not _SHELL_SAFE.fullmatch(value):
            yield f"the value {value!r} has characters that a shell would change"
