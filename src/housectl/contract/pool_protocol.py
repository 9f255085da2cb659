"""The protocol between a supervisor and a trainer's pool: one JSON object for each line."""

from enum import StrEnum

from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.contract.record import Record


class Step(StrEnum):
    """A step of a trial; most trials are only measured."""

    MEASURE = "measure"
    FIT = "fit"


class TrialRequest(Record, kw_only=True):
    """One step of one trial.

    Attributes:
        step: MEASURE writes the output; FIT adds the model to it.
        output: The trial's directory, which is written atomically.
        log: File to append the trial's log lines to.
        seconds: Time limit, in seconds.
        memory: Memory limit, in bytes.
        rival: Fold MSEs of the trial to beat; without them, the trial is not pruned.
    """

    number: int
    step: Step
    family: Family
    assignment: dict[str, Value]
    output: str
    log: str
    seconds: float | None = None
    memory: int | None = None
    rival: tuple[float, ...] | None = None


class TrialResult(Record, kw_only=True):
    """The result of a step: the trial's errors, or the cause of its failure.

    Attributes:
        mse: The objective; an estimate of it, if the trial was pruned.
        fold_mses: The errors on the measured folds.
        pruned_after: Number of folds after which the trial was pruned.
    """

    number: int
    mse: float | None = None
    fold_mses: tuple[float, ...] = ()
    pruned_after: int | None = None
    cause: str | None = None
