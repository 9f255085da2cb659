"""Golden rows: rows with the trained model's predictions, which every copy must reproduce."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from housectl.contract.cells import Cell, read_row
from housectl.contract.record import SCHEMA_VERSION, Record
from housectl.contract.schema import Schema

GOLDEN_FILE = "golden.json"
MAX_GOLDEN_ROWS = 1000


_NonNegative = Annotated[float, msgspec.Meta(ge=0)]


class GoldenSource(StrEnum):
    """The origin of golden rows: the data, or random numbers within the features' ranges."""

    DATA = "data"
    SYNTHETIC = "synthetic"


class GoldenRow(Record, kw_only=True):
    """One row in the model's order of features, and the prediction of the trained model.

    Attributes:
        row: The values of a request, with None for a missing one.
    """

    row: tuple[Cell, ...]
    prediction: float


class Golden(Record, kw_only=True):
    """The golden rows of a bundle.

    Attributes:
        tolerance: Allowed difference, in the target's unit: the family's parity bound times the
            standard deviation of the training target, and a few digits' rounding.
        relative_tolerance: Further allowed difference, as a fraction of the prediction. Only models
            of a logarithm have one.
        features: Names of the columns of each row.
    """

    schema_version: int = SCHEMA_VERSION
    tolerance: _NonNegative
    relative_tolerance: _NonNegative | UnsetType = UNSET
    features: tuple[str, ...]
    rows: Annotated[tuple[GoldenRow, ...], msgspec.Meta(min_length=1, max_length=MAX_GOLDEN_ROWS)]

    def __post_init__(self) -> None:
        """Check that each row has one value for each feature."""
        if any(len(each.row) != len(self.features) for each in self.rows):
            raise ValueError(f"a golden row does not have {len(self.features)} values")

    def read_rows(self, schema: Schema) -> list[list[float]]:
        """Return the doubles of all rows.

        Raises:
            InvalidCellError: A column does not accept its value.
        """
        return [read_row(schema, each.row) for each in self.rows]

    def allowed_difference(self, prediction: float) -> float:
        """Return the largest allowed difference from a prediction."""
        relative = 0.0 if self.relative_tolerance is UNSET else self.relative_tolerance
        return self.tolerance + relative * abs(prediction)


@dataclass(frozen=True)
class GoldenMismatch:
    """Golden row with a different prediction; `number` counts from 0."""

    number: int
    expected: float
    predicted: float


def golden_mismatches(golden: Golden, predictions: Sequence[float]) -> tuple[GoldenMismatch, ...]:
    """Return the golden rows whose predictions differ by more than the tolerance, or are NaN."""
    return tuple(
        GoldenMismatch(number=number, expected=row.prediction, predicted=value)
        for number, (row, value) in enumerate(zip(golden.rows, predictions, strict=True))
        if not abs(value - row.prediction) <= golden.allowed_difference(row.prediction)
    )
