"""Simulated data: random functions of features with noise, so that true errors are known."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from housectl_trainer.fitting import FittedModel
from housectl_trainer.subset import DataSubset, Floats

_REFERENCE_ROWS = 20_000
_CORRELATION = 0.3
_TAIL_DEGREES = 4


@dataclass(frozen=True, kw_only=True)
class Process:
    """A data-generating process.

    Attributes:
        function: Expected target of rows; its standard deviation is 1.
        deviation: Standard deviation of the noise of rows.
        heavy_tails: True if the noise has Student's t distribution, which has more large values.
    """

    features: int
    function: Callable[[Floats], Floats]
    deviation: Callable[[Floats], Floats]
    heavy_tails: bool

    def sample(self, rows: int, rng: np.random.Generator) -> DataSubset:
        """Return new rows with their targets."""
        values = _rows(rows, self.features, rng)
        targets = self.function(values) + self.deviation(values) * self.noise(rows, rng)
        return DataSubset(rows=values, targets=targets, groups=None)

    def true_mse(self, model: FittedModel, rows: Floats) -> float:
        """Return the expected MSE of a model on these rows, over all noise."""
        bias = model.predict(rows) - self.function(rows)
        return float(np.mean(bias**2 + self.deviation(rows) ** 2))

    def noise(self, rows: int, rng: np.random.Generator) -> Floats:
        """Return noise with the standard deviation 1."""
        if not self.heavy_tails:
            return rng.standard_normal(rows)
        noise: Floats = rng.standard_t(_TAIL_DEGREES, rows) * np.sqrt(1 - 2 / _TAIL_DEGREES)
        return noise


def make_process(rng: np.random.Generator, *, heavy_tails: bool) -> Process:
    """Return a random process with 6 to 12 features, of which a model can explain 75 to 95 %."""
    features = int(rng.integers(6, 13))
    function = _standardized(_random_function(rng, features), _rows(_REFERENCE_ROWS, features, rng))
    variance = 1 / rng.uniform(0.75, 0.95) - 1
    slope = rng.uniform(0, 0.8)
    return Process(
        features=features,
        function=function,
        deviation=lambda rows: np.sqrt(variance * (1 + slope * np.tanh(rows[:, 0]))),
        heavy_tails=heavy_tails,
    )


def _rows(count: int, features: int, rng: np.random.Generator) -> Floats:
    """Return correlated features, which all have mean 0 and variance 1."""
    common = rng.standard_normal((count, 1))
    own = rng.standard_normal((count, features))
    values: Floats = np.sqrt(_CORRELATION) * common + np.sqrt(1 - _CORRELATION) * own
    return values


def _random_function(rng: np.random.Generator, features: int) -> Callable[[Floats], Floats]:
    """Return a sum of lines, waves, steps and products of random features."""
    weights = rng.exponential(size=5)
    a, b, c, d, e, f = rng.choice(features, size=6, replace=False)
    frequency, cut = rng.uniform(1, 2.5), rng.normal(scale=0.5)
    slopes = rng.normal(size=features) * (rng.random(features) < 0.5)

    def function(rows: Floats) -> Floats:
        terms = (
            rows @ slopes,
            2 * np.sin(frequency * rows[:, a]),
            2.0 * (rows[:, b] > cut),
            rows[:, c] * rows[:, d],
            np.abs(rows[:, e]) * np.tanh(rows[:, f]),
        )
        total: Floats = sum(
            (weight * term for weight, term in zip(weights, terms, strict=True)),
            start=np.zeros(len(rows)),
        )
        return total

    return function


def _standardized(
    function: Callable[[Floats], Floats], reference: Floats
) -> Callable[[Floats], Floats]:
    values = function(reference)
    centre, scale = values.mean(), values.std()
    return lambda rows: (function(rows) - centre) / scale
