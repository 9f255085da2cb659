"""Checks of a store's records: of all files that are neither bundles nor history entries."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from housectl.contract.evidence import Evidence
from housectl.contract.record import MalformedRecordError
from housectl.errors import NewerFormatError
from housectl.store.challenger import parse_challenger
from housectl.store.checking.problems import ProblemKind, StoreProblem, cause_of
from housectl.store.comparisons import ComparisonRecord
from housectl.store.failed_verifications import FailedVerification
from housectl.store.layout import (
    CHALLENGERS,
    COMPARISONS,
    EVIDENCE,
    REQUIREMENTS,
    STEPS,
    VERIFICATIONS,
    file_number,
)
from housectl.store.step_records import StepRecord
from housectl.store.storage import FileStorage

INVALID_RECORD = (OSError, MalformedRecordError, NewerFormatError)


class OnDifference(StrEnum):
    """Treatment of a valid record in the target of a copy that differs from the source's."""

    KEEP = "keep"
    REPLACE = "replace"
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True)
class RecordCheck:
    """Check of the records in one folder.

    Attributes:
        parse: Raises MalformedRecordError or NewerFormatError if the content does not fit the name;
            returns the digest of the bundle that must exist, if the record names one.
        on_difference: Treatment of a copy's target.
        after_removal: Consequence of removing an invalid record.
    """

    parse: Callable[[str, bytes], str | None]
    on_difference: OnDifference
    after_removal: str


def read_record(store: FileStorage, folder: str, name: str) -> tuple[bytes, str | None]:
    """Return the bytes of a valid record, and the digest of the bundle that it needs.

    Raises:
        OSError, MalformedRecordError, NewerFormatError: The record is invalid.
    """
    data = store._read(f"{folder}/{name}")
    return data, RECORD_CHECKS[folder].parse(name, data)


def valid_record(store: FileStorage, folder: str, name: str) -> bytes | None:
    """Return the bytes of a record; None if it is invalid or missing."""
    try:
        return read_record(store, folder, name)[0]
    except INVALID_RECORD:
        return None


def record_problem(store: FileStorage, folder: str, name: str, error: Exception) -> StoreProblem:
    """Return the problem of an invalid record."""
    key = f"{folder}/{name}"
    return StoreProblem(
        kind=ProblemKind.INVALID,
        file=store.location(key),
        cause=cause_of(error),
        hint=f"{store._remove_command(key)}   # {RECORD_CHECKS[folder].after_removal}",
    )


def _parse_evidence(name: str, data: bytes) -> None:
    evidence = Evidence.from_json(data)
    _require_name(name, {evidence.key, evidence.bundle})


def _parse_challenger(name: str, data: bytes) -> str:
    return parse_challenger(data, file_number(name) or 0).bundle


def _parse_failed_verification(name: str, data: bytes) -> None:
    _require_name(name, {FailedVerification.from_json(data).bundle})


def _parse_lock(name: str, data: bytes) -> None:
    if name != f"{hashlib.sha256(data).hexdigest()}.txt":
        raise MalformedRecordError("its sha256 is not the one in its name")


def _parse_step(name: str, data: bytes) -> None:
    step = StepRecord.from_json(data).step
    if name != f"{step}.json":
        raise MalformedRecordError(f"it is of the step {step!r}")


def _parse_comparison(name: str, data: bytes) -> None:
    record = ComparisonRecord.from_json(data)
    if name != f"{record.holdout_rows}/{record.challenger}.json":
        raise MalformedRecordError("it is of another challenger or of other rows")


def _require_name(name: str, digests: "set[str | None]") -> None:
    if name.removesuffix(".json") not in digests:
        raise MalformedRecordError("it is of another recipe or bundle")


RECORD_CHECKS: Mapping[str, RecordCheck] = {
    EVIDENCE: RecordCheck(
        parse=_parse_evidence,
        on_difference=OnDifference.REPLACE,
        after_removal="the next comparison measures it again",
    ),
    CHALLENGERS: RecordCheck(
        parse=_parse_challenger,
        on_difference=OnDifference.REFUSE,
        after_removal="the next promotion seals it again",
    ),
    VERIFICATIONS: RecordCheck(
        parse=_parse_failed_verification,
        on_difference=OnDifference.KEEP,
        after_removal="a rollback can lead to its bundle until `housectl verify` records it again",
    ),
    REQUIREMENTS: RecordCheck(
        parse=_parse_lock,
        on_difference=OnDifference.KEEP,
        after_removal="the next sealing writes it again",
    ),
    STEPS: RecordCheck(
        parse=_parse_step,
        on_difference=OnDifference.REPLACE,
        after_removal="the next `housectl run` repeats the step",
    ),
    COMPARISONS: RecordCheck(
        parse=_parse_comparison,
        on_difference=OnDifference.KEEP,
        after_removal="the next comparison of the challenger records it again",
    ),
}
