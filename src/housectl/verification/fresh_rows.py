"""Fresh rows: rows that no server can have seen before."""

import math
import random
from collections.abc import Iterator, Sequence

from housectl.contract.column_types import Number
from housectl.contract.schema import Schema
from housectl.contract.scorer import Scorer
from housectl.verification.feature_values import ValueSampler

Row = tuple[float, ...]

_INSIDE = 32
_BESIDE = 20
_NEAR_GOLDEN = 12
_SPLITS = 8
_SPLIT_ATTEMPTS = 64
_DECISIVE = 40
_DECISIVE_ATTEMPTS = 16


class RowSampler:
    """Draws rows at random, from the ranges of the training data and from the model's splits.

    Args:
        schema: The model's schema, with its ranges.
        golden: The model's golden rows.
        scorer: The scorer of the model, which finds rows whose predictions differ.
        rng: Source of the rows; a server must not be able to predict it.
    """

    def __init__(
        self, schema: Schema, golden: Sequence[Row], scorer: Scorer, rng: random.Random
    ) -> None:
        self._values = [ValueSampler(each, rng) for each in schema.features]
        self._numbers = [
            number for number, each in enumerate(schema.features) if isinstance(each.type, Number)
        ]
        self._golden = golden
        self._predict = scorer.predict
        self._random = rng

    def sample(self) -> list[Row]:
        """Return rows of every kind."""
        return [
            *(self.inside() for _ in range(_INSIDE)),
            *(self._beside() for _ in range(_BESIDE)),
            *(self._near_golden() for _ in range(_NEAR_GOLDEN)),
            *self._with_each_special_value(),
            *self._with_decisive_values(),
            *self._at_splits(),
        ]

    def inside(self) -> Row:
        """Return a row inside the ranges."""
        return tuple(values.inside() for values in self._values)

    def _beside(self) -> Row:
        """Return a row with values at the ends of the ranges, and a little or far outside."""
        return tuple(
            values.outside() if self._random.random() < 0.5 else values.inside()  # noqa: PLR2004
            for values in self._values
        )

    def _near_golden(self) -> Row:
        """Return a golden row with some other values."""
        golden = self._random.choice(self._golden)
        changed = set(self._random.sample(range(len(golden)), self._random.randint(1, len(golden))))
        return tuple(
            self._values[number].inside() if number in changed else value
            for number, value in enumerate(golden)
        )

    def _with_each_special_value(self) -> Iterator[Row]:
        """Yield rows that contain every special value of every feature."""
        special = [self._random.sample(each.special, len(each.special)) for each in self._values]
        for number in range(max(map(len, special))):
            yield tuple(
                each[number % len(each)] if each else values.inside()
                for each, values in zip(special, self._values, strict=True)
            )

    def _with_decisive_values(self) -> Iterator[Row]:
        """Yield rows with a special value, without which their predictions differ."""
        choices = [
            (feature, position)
            for feature, values in enumerate(self._values)
            for position in range(len(values.special))
        ]
        for feature, position in self._random.sample(choices, min(_DECISIVE, len(choices))):
            row = self._row_with_decisive_value(feature, position)
            if row:
                # A missing value is null in one request, and omitted in the next.
                yield from [row] * (2 if math.isnan(row[feature]) else 1)

    def _row_with_decisive_value(self, feature: int, position: int) -> Row | None:
        rows = [self.inside() for _ in range(_DECISIVE_ATTEMPTS)]
        special = self._values[feature].special
        others = (*special[:position], *special[position + 1 :]) or (
            self._values[feature].present(),
        )
        with_value = [_with_value(row, feature, special[position]) for row in rows]
        without = [_with_value(row, feature, self._random.choice(others)) for row in rows]
        pairs = zip(with_value, self._predict(with_value), self._predict(without), strict=True)
        return next((row for row, prediction, other in pairs if prediction != other), None)

    def _at_splits(self) -> Iterator[Row]:
        """Yield pairs of rows on both sides of a split, as near to it as doubles can be."""
        found = 0
        for _ in range(_SPLIT_ATTEMPTS if self._numbers else 0):
            pair = self._pair_at_split()
            if pair:
                yield from pair
                found += 1
            if found == _SPLITS:
                return

    def _pair_at_split(self) -> tuple[Row, Row] | None:
        """Return rows with other predictions, which differ in the last digits of one value only."""
        row, feature = self.inside(), self._random.choice(self._numbers)
        low, high = self._values[feature].low, self._values[feature].high
        prediction = self._predict_with(row, feature, low)
        if prediction == self._predict_with(row, feature, high):
            return None
        while low < (middle := low + (high - low) / 2) < high:
            if self._predict_with(row, feature, middle) == prediction:
                low = middle
            else:
                high = middle
        return _with_value(row, feature, low), _with_value(row, feature, high)

    def _predict_with(self, row: Row, feature: int, value: float) -> float:
        return self._predict([_with_value(row, feature, value)])[0]


def _with_value(row: Sequence[float], feature: int, value: float) -> Row:
    return (*row[:feature], value, *row[feature + 1 :])
