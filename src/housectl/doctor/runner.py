"""Whether a search, a promotion and a server would work here: checks, each with its cure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from housectl.doctor import machine
from housectl.doctor.check import Check, Patient
from housectl.errors import Concern, ExitStatus, HousectlError


class Result(StrEnum):
    """What a check comes to."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The outcome of one check; `status` is what a command would end with because of it."""

    check: str
    result: Result
    found: str
    cure: str | None = None
    status: ExitStatus = ExitStatus.DONE


def examine(patient: Patient) -> Iterator[Finding]:
    """Run every check; one that fails keeps only those from running that need it."""
    unmet: set[str] = set()
    for check in (*machine.checks(patient), *_BACKENDS[patient.project.backend](patient)):
        finding = _finding(check, unmet.intersection(check.needs))
        if finding.result in {Result.FAILED, Result.SKIPPED}:
            unmet.add(check.name)
        yield finding


def _finding(check: Check, unmet: set[str]) -> Finding:
    if unmet:
        found = f"needs {', '.join(each for each in check.needs if each in unmet)}"
        return Finding(check=check.name, result=Result.SKIPPED, found=found)
    try:
        return Finding(check=check.name, result=Result.OK, found=check.run())
    except Concern as concern:
        return Finding(
            check=check.name, result=Result.WARNING, found=str(concern), cure=concern.cure
        )
    except HousectlError as error:
        return Finding(
            check=check.name,
            result=Result.FAILED,
            found=error.message,
            cure=error.hint,
            status=error.status,
        )


def _local(patient: Patient) -> Sequence[Check]:
    from housectl.doctor import local

    return local.checks(patient)


def _katib(patient: Patient) -> Sequence[Check]:
    from housectl.doctor import katib

    return katib.checks(patient)


_BACKENDS: Mapping[str, Callable[[Patient], Sequence[Check]]] = {"local": _local, "katib": _katib}
