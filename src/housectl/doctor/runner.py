"""Runs all checks of `housectl doctor` and returns their results."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from housectl.backends.doctor_check import Check, CheckContext, CheckWarning
from housectl.backends.factory import doctor_checks
from housectl.doctor.machine import machine_checks
from housectl.errors import ExitStatus, HousectlError


class CheckOutcome(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The result of one check.

    Attributes:
        name: Name of the check.
        message: The finding, the problem, or the reason for skipping the check.
        status: Exit status of a command that would fail for this reason.
    """

    name: str
    outcome: CheckOutcome
    message: str
    hint: str | None = None
    status: ExitStatus = ExitStatus.OK


def run_checks(context: CheckContext) -> Iterator[CheckResult]:
    """Run every check, except those that need a failed or skipped one."""
    unmet: set[str] = set()
    for check in (*machine_checks(context), *doctor_checks(context)):
        missing = [name for name in check.needs if name in unmet]
        result = _skip(check, missing) if missing else _run(check)
        if result.outcome in {CheckOutcome.FAILED, CheckOutcome.SKIPPED}:
            unmet.add(check.name)
        yield result


def _skip(check: Check, missing: list[str]) -> CheckResult:
    message = f"needs {', '.join(missing)}"
    return CheckResult(name=check.name, outcome=CheckOutcome.SKIPPED, message=message)


def _run(check: Check) -> CheckResult:
    try:
        return CheckResult(name=check.name, outcome=CheckOutcome.OK, message=check.run())
    except CheckWarning as warning:
        return CheckResult(
            name=check.name,
            outcome=CheckOutcome.WARNING,
            message=str(warning),
            hint=warning.hint,
        )
    except HousectlError as error:
        return CheckResult(
            name=check.name,
            outcome=CheckOutcome.FAILED,
            message=error.message,
            hint=error.hint,
            status=error.status,
        )
