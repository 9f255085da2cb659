"""The protocol of the trainer's time estimates: one JSON object for each assignment and line."""

from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.contract.record import Record


class TimeRequest(Record, kw_only=True):
    """A request to estimate the time of one assignment."""

    family: Family
    assignment: dict[str, Value]


class TrialTime(Record, kw_only=True):
    """The estimated time of one assignment.

    Attributes:
        rows: Number of training rows.
        trial_seconds: Time of one core for all folds of the objective.
        fit_seconds: Time of one core for a fit to all training rows.
    """

    rows: int
    trial_seconds: float
    fit_seconds: float
