"""Results of an interrupted measurement, from which it resumes."""

from pathlib import Path
from typing import TypeVar

from housectl.contract.record import MalformedRecordError, Record


class ResumableResults(Record, kw_only=True):
    """Results so far; `protocol` is the digest of all settings and inputs of the measurement."""

    protocol: str


R = TypeVar("R", bound=ResumableResults)


def read_results(path: Path, empty: R) -> R:
    """Return the results of an interrupted run with the same protocol, or the empty results."""
    try:
        results = type(empty).from_json(path.read_bytes())
    except (FileNotFoundError, MalformedRecordError):
        return empty
    return results if results.protocol == empty.protocol else empty
