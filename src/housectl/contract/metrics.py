"""The objective of a trial: its lines on stdout, and its file."""

import math
import re
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from housectl.contract.record import SCHEMA_VERSION, Record

METRICS_FILE = "metrics.json"
OBJECTIVE = "mse"
PRUNED_AFTER = "pruned_after"

NO_RIVAL = "none"
"""Name of the rival of a trial that cannot be pruned; Katib needs a text for each argument."""

_Mse = Annotated[float, msgspec.Meta(ge=0)]

_LINE = re.compile(rf"{OBJECTIVE}=(?P<value>\S+)")


class Metrics(Record, kw_only=True):
    """The errors of one recipe, in the square of the target's unit.

    Attributes:
        mse: The objective: mean of the fold MSEs on the training rows. For a pruned trial, it is an
            estimate of this mean.
        fold_mses: One for each fold, in order; a pruned trial has those of its first folds.
        holdout_mse: MSE on the held-out rows, for a sealed model.
        pruned_after: Number of folds after which the trial was pruned; unset for other trials.
    """

    schema_version: int = SCHEMA_VERSION
    mse: _Mse
    fold_mses: tuple[_Mse, ...]
    holdout_mse: _Mse | None = None
    pruned_after: Annotated[int, msgspec.Meta(ge=1)] | UnsetType = UNSET


def metric_lines(metrics: Metrics) -> str:
    """Return the line that reports a trial's objective and, if it was pruned, a second line.

    Raises:
        ValueError: The objective is not finite. Katib would store an empty value and rank it first.
    """
    if not math.isfinite(metrics.mse):
        raise ValueError(f"the mean squared error is {metrics.mse}, which is not a finite number")
    line = f"{OBJECTIVE}={metrics.mse!r}"
    if metrics.pruned_after is UNSET:
        return line
    return f"{line}\n{PRUNED_AFTER}={metrics.pruned_after}"


def read_metric_line(line: str) -> float | None:
    """Return the objective that a line reports, or None."""
    match = _LINE.fullmatch(line.strip())
    try:
        value = float(match["value"]) if match else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
