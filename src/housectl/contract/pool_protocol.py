"""What a supervisor and a trainer's pool say to each other: one JSON object a line."""

from enum import StrEnum

from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.contract.record import Record


class Step(StrEnum):
    """What a pool does for a trial: most trials are measured only."""

    MEASURE = "measure"
    FIT = "fit"


class TrialRequest(Record, kw_only=True):
    """One step of one trial.

    Attributes:
        step: Measuring makes the output; fitting adds the model to it.
        output: The trial's directory; it appears whole or not at all.
        log: File to which the trial's own lines are added.
        seconds: Time limit, in seconds.
        memory: Memory limit, in bytes.
    """

    number: int
    step: Step
    family: Family
    assignment: dict[str, Value]
    output: str
    log: str
    seconds: float | None = None
    memory: int | None = None


class TrialResult(Record, kw_only=True):
    """How a step ended: with the trial's objective, or with a cause."""

    number: int
    mse: float | None = None
    cause: str | None = None
