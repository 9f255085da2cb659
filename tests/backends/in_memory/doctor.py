"""Checks for searches in memory, for the registry."""

from collections.abc import Sequence

from housectl.backends.doctor_check import Check, CheckContext


def doctor_checks(context: CheckContext) -> Sequence[Check]:
    return (Check("memory", lambda: f"{context.project.name} fits in memory"),)
