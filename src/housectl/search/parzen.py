"""A density of assignments: a mixture of a kernel around each observed assignment, and a prior.

Each kernel is a product of one factor for each parameter. The factor of a number is a normal
density within the range. The factor of a choice prefers the observed choice.
"""

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from statistics import NormalDist
from typing import Protocol

import numpy as np

from housectl.contract.parameters import Value
from housectl.search.value_scale import ChoiceScale, Floats, NumberScale, Scale

# The latest observations have full weight; that of the others grows with their number.
_FULL_WEIGHTS = 25
_SMALLEST_DEVIATION = 0.01
# The quantiles of 0 and 1 are infinite.
_SMALLEST_PROBABILITY = 1e-12


class Factors(Protocol):
    """One parameter's factors of all kernels; the last one is the prior's."""

    def draw(self, kernel: int, random: Random) -> float:
        """Return a random position from one kernel."""

    def log_densities(self, positions: Floats) -> Floats:
        """Return the logarithm of each kernel's density at each position, as `(n, kernels)`."""


@dataclass(frozen=True)
class NumberFactors:
    """Normal densities between 0 and 1, without their common constant factor."""

    centres: Floats
    deviations: Floats

    @classmethod
    def around(cls, scale: NumberScale, values: Sequence[Value]) -> "NumberFactors":
        """Return the factors of the kernels around some values."""
        positions = scale.positions(values)
        # The variance of a cell makes the density at its centre nearly proportional to its mass.
        deviations = np.hypot(_deviations(positions), scale.cell_widths(values) / math.sqrt(12))
        return cls(np.append(positions, 0.5), np.append(deviations, 1.0))

    def draw(self, kernel: int, random: Random) -> float:
        """Return a random position from one kernel."""
        normal = NormalDist(float(self.centres[kernel]), float(self.deviations[kernel]))
        below, inside = normal.cdf(0), normal.cdf(1) - normal.cdf(0)
        probability = max(below + random.random() * inside, _SMALLEST_PROBABILITY)
        return normal.inv_cdf(min(probability, 1 - _SMALLEST_PROBABILITY))

    def log_densities(self, positions: Floats) -> Floats:
        """Return the logarithm of each kernel's density at each position, as `(n, kernels)`."""
        distances: Floats = (positions[:, None] - self.centres) / self.deviations
        ends: Floats = (np.array([[0.0], [1.0]]) - self.centres) / self.deviations
        below, up_to_one = _normal_cdf(ends)
        logarithms: Floats = np.log(self.deviations * (up_to_one - below))
        return -0.5 * distances * distances - logarithms


@dataclass(frozen=True)
class ChoiceFactors:
    """Probabilities of choices; the less a kernel prefers its choice, the fewer kernels exist."""

    observed: Floats
    choices: int

    @classmethod
    def around(cls, scale: ChoiceScale, values: Sequence[Value]) -> "ChoiceFactors":
        """Return the factors of the kernels around some choices."""
        return cls(scale.positions(values), len(scale.choices))

    def draw(self, kernel: int, random: Random) -> float:
        """Return the index of a random choice from one kernel."""
        number = random.random() * self._total
        is_prior = kernel == len(self.observed)
        # The kernel's own choice has the mass above that of all choices together.
        if not is_prior and number < 1:
            return float(self.observed[kernel])
        share = number / self._total if is_prior else (number - 1) / (self._total - 1)
        return float(min(int(share * self.choices), self.choices - 1))

    def log_densities(self, positions: Floats) -> Floats:
        """Return the logarithm of each kernel's probability of each choice, as `(n, kernels)`."""
        common = (self._total - 1) / self.choices
        observed = np.where(positions[:, None] == self.observed, 1 + common, common) / self._total
        prior = np.full((len(positions), 1), 1 / self.choices)
        logarithms: Floats = np.log(np.hstack((observed, prior)))
        return logarithms

    @property
    def _total(self) -> float:
        """The sum of the weights of all choices in a kernel; the weight of its own is above 1."""
        return 1 + self.choices / (len(self.observed) + 1)


@dataclass(frozen=True)
class ParzenEstimator:
    """The density, with the cumulative weights of its kernels."""

    weights: Floats
    factors: tuple[Factors, ...]

    @classmethod
    def around(
        cls, scales: Sequence[Scale], columns: Sequence[Sequence[Value]], *, observations: int
    ) -> "ParzenEstimator":
        """Return the density of observed assignments, whose values are in columns, oldest first."""
        factors = tuple(
            NumberFactors.around(scale, column)
            if isinstance(scale, NumberScale)
            else ChoiceFactors.around(scale, column)
            for scale, column in zip(scales, columns, strict=True)
        )
        return cls(_weights(observations), factors)

    def draw(self, random: Random) -> tuple[float, ...]:
        """Return the positions of a random assignment."""
        cumulative = [*accumulate(self.weights.tolist())]
        kernel = bisect(cumulative, random.random() * cumulative[-1], hi=len(cumulative) - 1)
        return tuple(factor.draw(kernel, random) for factor in self.factors)

    def log_densities(self, columns: Sequence[Floats]) -> Floats:
        """Return the logarithm of the density of assignments, whose positions are in columns."""
        weights = np.log(self.weights / self.weights.sum())
        kernels = weights + sum(
            factor.log_densities(positions)
            for factor, positions in zip(self.factors, columns, strict=True)
        )
        highest = kernels.max(axis=1, keepdims=True)
        total: Floats = np.log(np.exp(kernels - highest).sum(axis=1)) + highest[:, 0]
        return total


def _weights(observations: int) -> Floats:
    """Return the weights of the observations, oldest first, and that of the prior."""
    growing = max(observations - _FULL_WEIGHTS, 0)
    ramp = np.linspace(1 / max(observations, 1), 1, growing)
    return np.concatenate((ramp, np.ones(observations - growing + 1)))


def _deviations(positions: Floats) -> Floats:
    """Return the distance of each position to the farther one of its neighbours, within limits."""
    smallest = max(_SMALLEST_DEVIATION, 1 / (len(positions) + 2))
    order = np.argsort(positions, kind="stable")
    gaps = np.diff(positions[order])
    if gaps.size == 0:
        return np.maximum(positions, 1 - positions)
    farther = np.maximum(np.append(gaps[:1], gaps), np.append(gaps, gaps[-1:]))
    deviations = np.empty_like(positions)
    deviations[order] = np.maximum(farther, smallest)
    return deviations


def _normal_cdf(deviates: Floats) -> Floats:
    """Return the standard normal distribution function with an error below 0.0002.

    See Bowling et al., "A logistic approximation to the cumulative normal distribution" (2009).
    """
    odds: Floats = deviates * (1.5976 + 0.07056 * deviates * deviates)
    return (1 + np.tanh(odds / 2)) / 2
