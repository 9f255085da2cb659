"""Linear graphs: a weighted sum of a row's values, as arrays."""

from dataclasses import dataclass

import numpy as np

from housectl.contract.graph.arrays import MAX_SUM, Doubles
from housectl.contract.record import require
from housectl.contract.schema import FLOAT32_MAXIMUM


@dataclass(frozen=True, kw_only=True)
class LinearGraph:
    """A sum of one term for each column, and its conversion into the target's unit.

    A prediction is `(sum of terms + intercept) * target_deviation + target_centre`.

    Attributes:
        centres: `(columns,)`, value of each column whose term is 0.
        weights: `(columns,)`, change of the sum for each unit above the centre.
        missing: `(columns,)`, term of a missing value.
        intercept: Constant term.
        target_deviation, target_centre: The target's unit and zero, on the scale of the sum.
    """

    centres: Doubles
    weights: Doubles
    missing: Doubles
    intercept: float
    target_deviation: float = 1.0
    target_centre: float = 0.0

    @property
    def columns(self) -> int:
        """Number of columns of a row."""
        return len(self.centres)


def check_linear(graph: LinearGraph) -> None:
    """Check that every row of float32 numbers and missing values gets a finite prediction.

    Raises:
        MalformedRecordError: The arrays have different lengths, or invalid numbers.
    """
    lengths = {len(graph.centres), len(graph.weights), len(graph.missing)}
    require(len(lengths) == 1, "its lists have different lengths")
    require(graph.columns > 0, "it has no column")
    with np.errstate(over="ignore", invalid="ignore"):
        farthest = FLOAT32_MAXIMUM + np.abs(graph.centres)
        largest = np.maximum(farthest * np.abs(graph.weights), np.abs(graph.missing)).sum()
        total = largest + abs(graph.intercept)
        prediction = total * abs(graph.target_deviation) + abs(graph.target_centre)
    # NaN fails these comparisons, too.
    require(total <= MAX_SUM, "its sum of terms is not finite")
    require(prediction <= MAX_SUM, "its prediction is not finite")
