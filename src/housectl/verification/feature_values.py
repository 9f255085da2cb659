"""Random values of one feature, as doubles."""

import math
import random

from housectl.contract.cells import UNKNOWN_LEVEL, read_cell, write_cell
from housectl.contract.column_types import Boolean, Category, ColumnType, Datetime, UnknownLevels
from housectl.contract.schema import FLOAT32_MAXIMUM, Feature

_MAX_DIGITS = 17
_MISSING_PROBABILITY = 0.15
# Dates in requests are days, seconds, or fractions of seconds.
_TIME_UNITS = (86_400.0, 1.0, 1e-6)


class ValueSampler:
    """Draws values of a feature at random.

    A request can express each of them exactly: its cell is read as the same double.

    Args:
        feature: The feature.
        rng: Source of the values.

    Attributes:
        low, high: Range of the training data, within float32.
        special: All values of a kind of its own: each level, each boolean, a text that is no level,
            and a missing value; as far as the feature accepts them.
    """

    def __init__(self, feature: Feature, rng: random.Random) -> None:
        self._column = feature.type
        self.low, self.high = _clip(feature.minimum), _clip(feature.maximum)
        self._random = rng
        self.special = _special_values(self._column)

    def inside(self) -> float:
        """Return a value as in the training data, which is sometimes missing."""
        if self._column.nullable and self._random.random() < _MISSING_PROBABILITY:
            return math.nan
        return self.present()

    def present(self) -> float:
        """Return a value inside the range, with few digits or many."""
        if isinstance(self._column, Boolean | Category):
            return float(self._random.randint(0, round(self.high)))
        value = self._random.uniform(self.low, self.high)
        if isinstance(self._column, Datetime):
            unit = self._random.choice(_TIME_UNITS)
            return self._expressed(value // unit * unit)
        return _clip(float(f"{value:.{self._random.randint(2, _MAX_DIGITS)}g}"))

    def outside(self) -> float:
        """Return an end of the range, or a value outside it."""
        if isinstance(self._column, Category) and UNKNOWN_LEVEL in self.special:
            return UNKNOWN_LEVEL
        if isinstance(self._column, Boolean | Category):
            return self.present()
        scale = self._random.choice((0.0, 1e-6, 0.1, 10.0))
        distance = (self.high - self.low or 1.0) * scale * self._random.uniform(0.5, 1.5)
        value = self._random.choice((self.low - distance, self.high + distance))
        return self._expressed(_clip(value))

    def _expressed(self, value: float) -> float:
        """Return the double that a server reads from the cell of a value."""
        return read_cell(self._column, write_cell(self._column, value))


def _special_values(column: ColumnType) -> tuple[float, ...]:
    values: list[float] = []
    if isinstance(column, Boolean):
        values += (0.0, 1.0)
    if isinstance(column, Category):
        values += map(float, range(column.codes))
        if column.unknown_levels is UnknownLevels.MISSING:
            values.append(UNKNOWN_LEVEL)
    if column.nullable:
        values.append(math.nan)
    return tuple(values)


def _clip(value: float) -> float:
    return max(-FLOAT32_MAXIMUM, min(FLOAT32_MAXIMUM, value))
