"""Whether a search, a promotion and a server would work here: checks, each with its cure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from housectl.doctor.checks import CHECKS, Concern, Patient
from housectl.errors import ExitStatus, HousectlError


class Result(StrEnum):
    """What a check comes to."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The outcome of one check; `status` is what a command would end with because of it."""

    check: str
    result: Result
    found: str
    cure: str | None = None
    status: ExitStatus = ExitStatus.DONE


def examine(patient: Patient) -> Sequence[Finding]:
    """Run every check; one that fails does not keep the others from running."""
    return [_finding(name, check, patient) for name, check in CHECKS.items()]


def _finding(name: str, check: Callable[[Patient], str], patient: Patient) -> Finding:
    try:
        return Finding(check=name, result=Result.OK, found=check(patient))
    except Concern as concern:
        return Finding(check=name, result=Result.WARNING, found=str(concern), cure=concern.cure)
    except HousectlError as error:
        return Finding(
            check=name,
            result=Result.FAILED,
            found=error.message,
            cure=error.hint,
            status=error.status,
        )
