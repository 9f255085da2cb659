"""Parameters of a model family: their values, and the domain of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite

Value = int | float | str
Assignment = Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class ParameterDomain:
    """The values that one parameter accepts: numbers between bounds, or some words.

    Each domain has one type of number. `max_features`, for example, is always a fraction and never
    a count, so 1 and 1.0 mean the same from every backend.

    Attributes:
        minimum, maximum: Smallest and largest accepted number.
        exclusive_minimum: Bound that accepted numbers exceed.
        choices: Accepted words.
    """

    number: type[int] | type[float] | None = None
    minimum: float = -inf
    exclusive_minimum: float = -inf
    maximum: float = inf
    choices: tuple[str, ...] = ()

    @property
    def is_integer(self) -> bool:
        """True if the numbers are integers."""
        return self.number is int

    def read(self, value: Value) -> Value:
        """Return the value in the domain's type.

        Raises:
            ValueError: The value is outside the domain.
        """
        text = str(value).strip()
        if text in self.choices:
            return text
        if self.number is None:
            raise ValueError(text)
        number = self.number(text)
        if not self._contains(number):
            raise ValueError(text)
        return number

    def accepts(self, value: Value) -> bool:
        """Return True if the value is in the domain."""
        try:
            self.read(value)
        except ValueError:
            return False
        return True

    def __str__(self) -> str:
        bounds = [
            f"from {self.minimum:g}" if self.minimum > -inf else "",
            f"above {self.exclusive_minimum:g}" if self.exclusive_minimum > -inf else "",
            f"up to {self.maximum:g}" if self.maximum < inf else "",
        ]
        kind = "a whole number" if self.is_integer else "a number"
        numbers = [" ".join([kind, *filter(None, bounds)])] if self.number else []
        return " or ".join([*numbers, *self.choices])

    def _contains(self, number: float) -> bool:
        inside = self.minimum <= number <= self.maximum
        return inside and number > self.exclusive_minimum and isfinite(number)


def integer(minimum: int) -> ParameterDomain:
    """Return the domain of the integers from a minimum."""
    return ParameterDomain(number=int, minimum=minimum)


def fraction(*choices: str) -> ParameterDomain:
    """Return the domain of the numbers above 0 and up to 1, and of some words."""
    return ParameterDomain(number=float, exclusive_minimum=0, maximum=1, choices=choices)


def non_negative() -> ParameterDomain:
    """Return the domain of the numbers from 0."""
    return ParameterDomain(number=float, minimum=0)


def one_of(*choices: str) -> ParameterDomain:
    """Return the domain of some words."""
    return ParameterDomain(choices=choices)
