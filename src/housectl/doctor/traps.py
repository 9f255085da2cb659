"""Checks of the data for traps, which `init` notes too."""

from collections.abc import Callable, Sequence
from functools import cache, partial

from housectl.backends.doctor_check import Check, CheckContext, CheckWarning
from housectl.contract.data.table import Table
from housectl.data_checks.checks import TRAPS, CheckedData


def trap_checks(context: CheckContext, read: Callable[[], Table]) -> Sequence[Check]:
    """Return a check for each trap.

    Args:
        context: The project.
        read: Function that returns its data.
    """
    data = cache(partial(_checked_data, context, read))
    return [Check(name, partial(_check_trap, name, data), ("data",)) for name in TRAPS]


def _checked_data(context: CheckContext, read: Callable[[], Table]) -> CheckedData:
    project = context.project
    return CheckedData.of(project.schema_record, read(), project.split_record)


def _check_trap(name: str, data: Callable[[], CheckedData]) -> str:
    problems = list(TRAPS[name](data()))
    if problems:
        raise CheckWarning(
            " ".join(problem.message for problem in problems),
            hint=" ".join(problem.hint for problem in problems),
        )
    return "no problem"
