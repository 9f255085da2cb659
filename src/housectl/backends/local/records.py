"""The records in the files of a run directory."""

from typing import ClassVar

from housectl.backends.workload import WorkloadRecord
from housectl.contract.path_names import Digest
from housectl.contract.record import SCHEMA_VERSION, Record
from housectl.experiment import ExperimentState, Trial


class LocalPlanRecord(WorkloadRecord, kw_only=True):
    """The content of plan.json.

    Attributes:
        inputs: Digest of the inputs.
        submitted: Seconds since the epoch.
        python: Path of the Python that runs the trainer; None for housectl's own.
    """

    newest_version: ClassVar[int] = 2

    schema_version: int = newest_version
    inputs: Digest
    submitted: float
    python: str | None = None


class TrialRecord(Record, kw_only=True):
    """A line of the journal of trials.

    Attributes:
        fold_mses: The errors on the measured folds of a finished trial.
    """

    schema_version: int = SCHEMA_VERSION
    trial: Trial
    fold_mses: tuple[float, ...] = ()


class RunOutcome(Record, kw_only=True):
    """The content of outcome.json; `finished` is in seconds since the epoch."""

    schema_version: int = SCHEMA_VERSION
    state: ExperimentState
    reason: str | None = None
    finished: float | None = None
