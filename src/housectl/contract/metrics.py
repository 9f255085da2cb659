"""The objective of a trial: its line on stdout, and its file."""

import math
import re
from typing import Annotated

import msgspec

from housectl.contract.record import SCHEMA_VERSION, Record

METRICS_FILE = "metrics.json"
OBJECTIVE = "mse"
PRUNED_AFTER = "pruned_after"

_Mse = Annotated[float, msgspec.Meta(ge=0)]

_LINE = re.compile(rf"{OBJECTIVE}=(?P<value>\S+)")


class Metrics(Record, kw_only=True):
    """The errors of one recipe, in the square of the target's unit.

    Attributes:
        mse: The objective: mean of the fold MSEs on the training rows.
        holdout_mse: MSE on the held-out rows, for a sealed model.
    """

    schema_version: int = SCHEMA_VERSION
    mse: _Mse
    fold_mses: tuple[_Mse, ...]
    holdout_mse: _Mse | None = None


def metric_line(mse: float) -> str:
    """Return the line that reports a trial's objective.

    Raises:
        ValueError: The objective is not finite. Katib would store an empty value and rank it first.
    """
    if not math.isfinite(mse):
        raise ValueError(f"the mean squared error is {mse}, which is not a finite number")
    return f"{OBJECTIVE}={mse!r}"


def read_metric_line(line: str) -> float | None:
    """Return the objective that a line reports, or None."""
    match = _LINE.fullmatch(line.strip())
    try:
        value = float(match["value"]) if match else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
