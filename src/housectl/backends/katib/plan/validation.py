"""What Katib takes although the search would then hang for ever, or fail. Pure."""

import re
from collections.abc import Iterable, Iterator

from housectl.backends.base import Task
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.plan.manifest import SKOPT
from housectl.backends.katib.plan.sub_experiments import MAX_NAME_LENGTH, sub_experiments
from housectl.contract.families import Family
from housectl.errors import UsageError
from housectl.experiment import Experiment, Parameter, ParameterKind, SearchSpace

_LONGEST_JOB_NAME = 63
# The collector's webhook joins a command's words with spaces and lets a shell read them.
_PLAIN = re.compile(r"[A-Za-z0-9_.,:/@%+=-]+")


def validate_plan(plan: KatibPlan) -> None:
    """Check a plan before anything of it is sent.

    Raises:
        UsageError: Katib would take it, and then stand still or fail; it tells every reason.
    """
    work = plan.workload
    problems = list(_task_problems(work) if isinstance(work, Task) else _problems(plan, work))
    if problems:
        raise UsageError(
            f"Katib cannot run {work.name}: {'; '.join(problems)}.",
            hint="Change `space:` or `katib:` in housectl.yaml; housectl render shows the result.",
        )


def _task_problems(task: Task) -> Iterator[str]:
    if len(task.name) > _LONGEST_JOB_NAME:
        yield f"a Job's name has at most {_LONGEST_JOB_NAME} characters"
    yield from _unreadable(str(value) for value in task.assignment.values())


def _problems(plan: KatibPlan, experiment: Experiment) -> Iterator[str]:
    for member in sub_experiments(experiment):
        if len(member.name) > MAX_NAME_LENGTH:
            yield (
                f"its Experiment would be called {member.name}, and a name has at most "
                f"{MAX_NAME_LENGTH} characters"
            )
    for family, space in experiment.spaces.items():
        yield from _space_problems(family, space, plan.record.settings.algorithm)


def _space_problems(family: Family, space: SearchSpace, algorithm: str) -> Iterator[str]:
    if not space.parameters:
        yield f"no parameter of {family} has a range, and Katib needs one to search"
    for parameter in space.parameters:
        yield from _parameter_problems(parameter, algorithm)
    choices = [str(choice) for each in space.parameters for choice in each.choices]
    yield from _unreadable([*choices, *map(str, space.fixed.values())])


def _parameter_problems(parameter: Parameter, algorithm: str) -> Iterator[str]:
    name, minimum, maximum = parameter.name, parameter.minimum, parameter.maximum
    if minimum is None or maximum is None:
        if not parameter.choices:
            yield f"{name} has nothing to choose from"
        return
    if not minimum < maximum:
        yield f"{name} ends at {maximum:g}, which is not above its beginning, {minimum:g}"
    if algorithm == SKOPT and parameter.kind is ParameterKind.DOUBLE and minimum <= 0:
        yield (
            f"{name} begins at {minimum:g}, and {SKOPT} searches on a logarithmic scale, which has "
            "only numbers above 0"
        )


def _unreadable(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        if not _PLAIN.fullmatch(value):
            yield f"the value {value!r} would be read by a shell, which splits or changes it"
