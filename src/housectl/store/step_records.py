"""Step records: the inputs with which each step of `housectl run` last succeeded.

They save work and decide nothing else. A missing or malformed record only makes a step run again.
"""

from collections.abc import Mapping
from enum import StrEnum

from housectl.contract.path_names import Digest
from housectl.contract.record import SCHEMA_VERSION, MalformedRecordError, Record
from housectl.store.layout import step_key
from housectl.store.storage import FileStorage


class StepState(StrEnum):
    """State of a step; only searches are recorded as started, so that they can be resumed."""

    STARTED = "started"
    DONE = "done"


class StepRecord(Record, kw_only=True):
    """The record of a step of `housectl run`. Each success replaces it.

    Attributes:
        inputs: Everything that the step depends on, as short texts by name.
        attempt: Number of the search among those with the same inputs; 1 for other steps.
        experiment: Name of the search; None for other steps.
        challenger: Digest of the sealed model of a search; None until then, and for other steps.
        at: Time in UTC, ISO 8601, for information only.
    """

    schema_version: int = SCHEMA_VERSION
    step: str
    state: StepState
    inputs: Mapping[str, str]
    attempt: int = 1
    experiment: str | None = None
    challenger: Digest | None = None
    at: str


class StepRecords(FileStorage):
    """Records of steps, one for each step."""

    def step_record(self, step: str) -> StepRecord | None:
        """Return the record of a step; None if it is missing, malformed or too large.

        Raises:
            NewerFormatError: A newer housectl wrote the record.
        """
        try:
            record = StepRecord.from_json(self._read(step_key(step)))
        except (OSError, MalformedRecordError):
            return None
        return record if record.step == step else None

    def write_step_record(self, record: StepRecord) -> None:
        """Write the record of a step, and replace an earlier one."""
        self._write(step_key(record.step), record.to_json())
