"""Ridge regression on standardised columns: Hoerl and Kennard, "Ridge Regression" (1970)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from housectl.contract.families import Family
from housectl.contract.graph.linear_graph import LinearGraph
from housectl.contract.parameters import Value
from housectl.contract.record import canonical_json
from housectl_trainer.exact_sums import mean
from housectl_trainer.linear_algebra import gram_matrix, solve, sums_of_products
from housectl_trainer.model_family import ModelFamily, TrainingRows
from housectl_trainer.subset import Floats

# Deviations below this part of their mean come from rounding.
_ROUNDING = 1e-13
# Squares of smaller deviations would lose digits.
_SMALLEST_DEVIATION = 1e-150

_DEFAULT_ALPHA = Family.LINEAR.definition.library_defaults["alpha"]


@dataclass(frozen=True)
class LinearModel:
    """A trained linear model."""

    graph: LinearGraph

    def predict(self, rows: Floats) -> Floats:
        """Return the sums of the terms, added in the order of the columns."""
        graph = self.graph
        terms = np.where(np.isnan(rows), graph.missing, (rows - graph.centres) * graph.weights)
        return sum(terms.T, start=np.zeros(len(rows))) + graph.intercept

    def body(self) -> LinearGraph:
        """Return the weights."""
        return self.graph

    def native(self) -> bytes:
        """Return the numbers as canonical JSON."""
        graph = self.graph
        return canonical_json(
            {
                "centres": graph.centres.tolist(),
                "weights": graph.weights.tolist(),
                "missing": graph.missing.tolist(),
                "intercept": graph.intercept,
            }
        )


@dataclass(frozen=True)
class _Scale:
    """Former mean and standard deviation of a column; that of a constant column is infinite."""

    centre: float
    deviation: float


def _fit(
    assignment: Mapping[str, Value],
    training: TrainingRows,
    *,
    seed: int,  # noqa: ARG001
    threads: int,  # noqa: ARG001
) -> LinearModel:
    """Fit a weight for each column, and one for "is missing" where the rows have gaps."""
    rows = np.asarray(training.expand(), dtype=np.float64)
    width = rows.shape[1]
    with_gaps = np.flatnonzero(np.isnan(rows).any(axis=0))
    # One column in each line: first the numbers, then "is missing".
    lines = np.empty((width + len(with_gaps), len(rows)))
    numbers = [_standardise(rows[:, index], lines[index]) for index in range(width)]
    gaps = [
        _standardise(np.isnan(rows[:, index]).astype(np.float64), lines[width + number])
        for number, index in enumerate(with_gaps)
    ]
    weights = _ridge(lines, training.targets, alpha=float(assignment.get("alpha", _DEFAULT_ALPHA)))
    missing = np.zeros(width)
    missing[with_gaps] = weights[width:] / np.array([each.deviation for each in gaps])
    centres = np.array([each.centre for each in gaps])
    graph = LinearGraph(
        centres=np.array([each.centre for each in numbers]),
        weights=weights[:width] / np.array([each.deviation for each in numbers]),
        missing=missing,
        intercept=math.fsum([mean(training.targets), *(-missing[with_gaps] * centres)]),
    )
    return LinearModel(graph)


def _standardise(column: Floats, standardised: Floats) -> _Scale:
    """Write a column with mean 0 and standard deviation 1; a missing value becomes the mean.

    A constant column becomes 0.
    """
    is_missing = np.isnan(column)
    present = max(int((~is_missing).sum()), 1)
    centre = np.where(is_missing, 0.0, column).sum() / present
    deviations = np.where(is_missing, 0.0, column - centre)
    smallest = max(_ROUNDING * abs(centre), _SMALLEST_DEVIATION)
    is_constant = np.abs(deviations).max() <= smallest
    scale = np.inf if is_constant else np.sqrt((deviations**2).mean())
    np.divide(deviations, scale, out=standardised)
    return _Scale(centre=float(centre), deviation=float(scale))


def _ridge(columns: Floats, targets: Floats, *, alpha: float) -> Floats:
    """Return the weights with the least mean squared error plus alpha times their squares."""
    products = gram_matrix(columns) / len(targets)
    products[np.diag_indices_from(products)] += alpha
    deviations = targets - mean(targets)
    return solve(products, sums_of_products(columns, deviations) / len(targets))


FAMILY = ModelFamily(fit=_fit)
