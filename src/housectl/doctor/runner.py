"""Whether a search, a promotion and a server would work here: checks, each with its hint."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from housectl.backends.doctor_check import Check, CheckContext
from housectl.backends.factory import doctor_checks
from housectl.doctor import machine
from housectl.errors import CheckWarning, ExitStatus, HousectlError


class CheckOutcome(StrEnum):
    """What a check comes to."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The outcome of one check; `status` is what a command would end with because of it."""

    name: str
    outcome: CheckOutcome
    message: str
    hint: str | None = None
    status: ExitStatus = ExitStatus.OK


def run_checks(patient: CheckContext) -> Iterator[CheckResult]:
    """Run every check; one that fails keeps only those from running that need it."""
    unmet: set[str] = set()
    for check in (*machine.checks(patient), *doctor_checks(patient)):
        finding = _finding(check, unmet.intersection(check.needs))
        if finding.outcome in {CheckOutcome.FAILED, CheckOutcome.SKIPPED}:
            unmet.add(check.name)
        yield finding


def _finding(check: Check, unmet: set[str]) -> CheckResult:
    if unmet:
        found = f"needs {', '.join(each for each in check.needs if each in unmet)}"
        return CheckResult(name=check.name, outcome=CheckOutcome.SKIPPED, message=found)
    try:
        return CheckResult(name=check.name, outcome=CheckOutcome.OK, message=check.run())
    except CheckWarning as concern:
        return CheckResult(
            name=check.name, outcome=CheckOutcome.WARNING, message=str(concern), hint=concern.hint
        )
    except HousectlError as error:
        return CheckResult(
            name=check.name,
            outcome=CheckOutcome.FAILED,
            message=error.message,
            hint=error.hint,
            status=error.status,
        )
