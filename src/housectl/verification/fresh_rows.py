"""Fresh rows: rows that no server can have seen before."""

import random
from collections.abc import Iterator, Sequence

from housectl.contract.bundle import Bundle
from housectl.contract.cells import read_row
from housectl.contract.scorer import Scorer

Row = tuple[float, ...]

_INSIDE = 32
_BESIDE = 20
_NEAR_GOLDEN = 12
_SPLITS = 8
_SPLIT_ATTEMPTS = 64
_FLOAT32_MAX = 3.4028234663852886e38
_MAX_DIGITS = 17


class RowSampler:
    """Draws rows at random, from the ranges of the training data and from the model's splits.

    Args:
        bundle: The model with its ranges and its golden rows.
        scorer: The scorer of the model, which finds rows at splits.
        rng: Source of the rows; a server must not be able to predict it.
    """

    def __init__(self, bundle: Bundle, scorer: Scorer, rng: random.Random) -> None:
        self._ranges = [
            (_clip(each.minimum), _clip(each.maximum)) for each in bundle.record.schema.features
        ]
        schema = bundle.record.schema
        self._golden = [tuple(read_row(schema, row.row)) for row in bundle.golden.rows]
        self._scorer = scorer
        self._random = rng

    def sample(self) -> list[Row]:
        """Return rows of every kind."""
        return [
            *(self.inside() for _ in range(_INSIDE)),
            *(self._beside() for _ in range(_BESIDE)),
            *(self._near_golden() for _ in range(_NEAR_GOLDEN)),
            *self._at_splits(),
        ]

    def inside(self) -> Row:
        """Return a row inside the ranges."""
        return tuple(self._value(low, high) for low, high in self._ranges)

    def _beside(self) -> Row:
        """Return a row with values at the ends of the ranges, and a little or far outside."""
        return tuple(
            self._outside(low, high) if self._random.random() < 0.5 else self._value(low, high)  # noqa: PLR2004
            for low, high in self._ranges
        )

    def _near_golden(self) -> Row:
        """Return a golden row with some other values."""
        golden = self._random.choice(self._golden)
        changed = set(self._random.sample(range(len(golden)), self._random.randint(1, len(golden))))
        return tuple(
            self._value(*self._ranges[number]) if number in changed else value
            for number, value in enumerate(golden)
        )

    def _at_splits(self) -> Iterator[Row]:
        """Yield pairs of rows on both sides of a split, as near to it as doubles can be."""
        found = 0
        for _ in range(_SPLIT_ATTEMPTS):
            pair = self._pair_at_split()
            if pair:
                yield from pair
                found += 1
            if found == _SPLITS:
                return

    def _pair_at_split(self) -> tuple[Row, Row] | None:
        """Return rows that differ in the last digits of one value only, but not in prediction."""
        row, feature = self.inside(), self._random.randrange(len(self._ranges))
        low, high = self._ranges[feature]
        prediction = self._predict(row, feature, low)
        if prediction == self._predict(row, feature, high):
            return None
        while low < (middle := low + (high - low) / 2) < high:
            if self._predict(row, feature, middle) == prediction:
                low = middle
            else:
                high = middle
        return _with_value(row, feature, low), _with_value(row, feature, high)

    def _predict(self, row: Row, feature: int, value: float) -> float:
        return self._scorer.predict([_with_value(row, feature, value)])[0]

    def _value(self, low: float, high: float) -> float:
        """Return a value inside a range, with few digits or many."""
        value = self._random.uniform(low, high)
        return _clip(float(f"{value:.{self._random.randint(2, _MAX_DIGITS)}g}"))

    def _outside(self, low: float, high: float) -> float:
        """Return an end of a range, or a value outside it."""
        scale = self._random.choice((0.0, 1e-6, 0.1, 10.0))
        distance = (high - low or 1.0) * scale * self._random.uniform(0.5, 1.5)
        return _clip(self._random.choice((low - distance, high + distance)))


def _clip(value: float) -> float:
    return max(-_FLOAT32_MAX, min(_FLOAT32_MAX, value))


def _with_value(row: Sequence[float], feature: int, value: float) -> Row:
    return (*row[:feature], value, *row[feature + 1 :])
