"""What a supervisor and a trainer's pool say to each other: one JSON object a line."""

from housectl.contract.recipe import Family, Value
from housectl.contract.record import Record


class TrialRequest(Record, kw_only=True):
    """One trial to train.

    Attributes:
        output: Directory that the trial makes; it appears whole or not at all.
        log: File that gets the trial's own lines.
        seconds: Time limit, in seconds.
        memory: Memory limit, in bytes.
        keep_below: The model is fitted and written only when the objective is below this; None
            keeps it always. No one would keep the model of a trial that three others beat.
    """

    number: int
    family: Family
    assignment: dict[str, Value]
    output: str
    log: str
    seconds: float | None = None
    memory: int | None = None
    keep_below: float | None = None


class TrialAnswer(Record, kw_only=True):
    """How a trial ended: with its objective, or with a cause."""

    number: int
    mse: float | None = None
    cause: str | None = None
