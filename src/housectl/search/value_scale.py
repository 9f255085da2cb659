"""Values of a parameter as positions: numbers from 0 to 1, or the indices of choices.

Equal distances of positions are equal distances on the parameter's scale. Each value is rounded,
because the last bits of a logarithm differ between machines.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from housectl.contract.parameters import Value
from housectl.experiment import Parameter

Floats = npt.NDArray[np.float64]

_DIGITS = 6


@dataclass(frozen=True)
class ChoiceScale:
    """Choices, whose positions are their indices."""

    choices: tuple[Value, ...]

    def positions(self, values: Sequence[Value]) -> Floats:
        """Return the index of each choice."""
        indices = {choice: index for index, choice in enumerate(self.choices)}
        return np.array([indices[value] for value in values], dtype=float)

    def value(self, position: float) -> Value:
        """Return the choice at an index."""
        return self.choices[int(position)]


@dataclass(frozen=True)
class NumberScale:
    """Numbers of a range, on an equal or a logarithmic scale.

    With a step, each number has a cell of positions around it.

    Attributes:
        low, high: The numbers at the positions 0 and 1, on the scale.
        step: Distance of the numbers; 0 without steps.
    """

    parameter: Parameter
    low: float
    high: float
    step: float

    @classmethod
    def of(cls, parameter: Parameter) -> "NumberScale":
        """Return the scale of a parameter that has a range."""
        step = parameter.spacing or 0.0
        low = float(parameter.nearest(-math.inf)) - step / 2
        high = float(parameter.nearest(math.inf)) + step / 2
        if parameter.log:
            low, high = math.log(low), math.log(high)
        return cls(parameter, low, high, step)

    def positions(self, values: Sequence[Value]) -> Floats:
        """Return the position of each number."""
        return self._positions(np.array(values, dtype=float))

    def cell_widths(self, values: Sequence[Value]) -> Floats:
        """Return the width of each number's cell; 0 without steps."""
        numbers = np.array(values, dtype=float)
        return self._positions(numbers + self.step / 2) - self._positions(numbers - self.step / 2)

    def value(self, position: float) -> Value:
        """Return the number that is nearest to a position."""
        number = self.low + position * (self.high - self.low)
        return self.parameter.nearest(
            self._round(math.exp(number) if self.parameter.log else number)
        )

    def _positions(self, numbers: Floats) -> Floats:
        scaled = np.log(numbers) if self.parameter.log else numbers
        return (scaled - self.low) / (self.high - self.low)

    def _round(self, number: float) -> float:
        """Round to some digits of the number itself, or of the range if the scale is equal."""
        whole = number if self.parameter.log else self.high - self.low
        return round(number, _DIGITS - 1 - Decimal(whole).adjusted())


Scale = NumberScale | ChoiceScale


def scale_of(parameter: Parameter) -> Scale:
    """Return the scale of a parameter's values."""
    if parameter.minimum is None:
        return ChoiceScale(parameter.choices)
    return NumberScale.of(parameter)
