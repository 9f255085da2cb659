"""Ridge regression on standardised columns: Hoerl and Kennard, "Ridge Regression" (1970)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from housectl.contract.families import Family
from housectl.contract.graph.linear_graph import LinearGraph
from housectl.contract.parameters import Value
from housectl.contract.record import canonical_json
from housectl_trainer.exact_sums import mean
from housectl_trainer.linear_algebra import gram_matrix, solve
from housectl_trainer.model_family import ModelFamily
from housectl_trainer.subset import DataSubset, Floats

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
class _Standardised:
    """Columns with mean 0 and standard deviation 1; constant columns are 0.

    Attributes:
        values: `(m, n)`, one column in each line.
        centres, scales: `(m,)`, former means and standard deviations; the scale of a constant
            column is infinite.
    """

    values: Floats
    centres: Floats
    scales: Floats


def _fit(
    assignment: Mapping[str, Value],
    subset: DataSubset,
    *,
    seed: int,  # noqa: ARG001
    threads: int,  # noqa: ARG001
) -> LinearModel:
    """Fit a weight for each column, and one for "is missing" where the rows have gaps."""
    columns = np.ascontiguousarray(subset.rows.T)
    is_missing = np.isnan(columns)
    has_gaps = is_missing.any(axis=1)
    gaps = is_missing[has_gaps].astype(np.float64)
    numbers = _standardise(columns, is_missing)
    indicators = _standardise(gaps, np.isnan(gaps))
    weights = _ridge(
        np.concatenate([numbers.values, indicators.values]),
        subset.targets,
        alpha=float(assignment.get("alpha", _DEFAULT_ALPHA)),
    )
    missing = np.zeros(len(columns))
    missing[has_gaps] = weights[len(columns) :] / indicators.scales
    graph = LinearGraph(
        centres=numbers.centres,
        weights=weights[: len(columns)] / numbers.scales,
        missing=missing,
        intercept=math.fsum([mean(subset.targets), *(-missing[has_gaps] * indicators.centres)]),
    )
    return LinearModel(graph)


def _standardise(columns: Floats, is_missing: NDArray[np.bool_]) -> _Standardised:
    """Standardise each line; a missing value becomes the mean of the others."""
    present = np.maximum((~is_missing).sum(axis=1), 1)
    centres = np.where(is_missing, 0.0, columns).sum(axis=1) / present
    deviations = np.where(is_missing, 0.0, columns - centres[:, np.newaxis])
    smallest = np.maximum(_ROUNDING * np.abs(centres), _SMALLEST_DEVIATION)
    is_constant = np.abs(deviations).max(axis=1) <= smallest
    scales = np.where(is_constant, np.inf, np.sqrt((deviations**2).mean(axis=1)))
    return _Standardised(values=deviations / scales[:, np.newaxis], centres=centres, scales=scales)


def _ridge(columns: Floats, targets: Floats, *, alpha: float) -> Floats:
    """Return the weights with the least mean squared error plus alpha times their squares."""
    products = gram_matrix(columns) / len(targets)
    products[np.diag_indices_from(products)] += alpha
    deviations = targets - mean(targets)
    return solve(products, (columns * deviations).sum(axis=1) / len(targets))


FAMILY = ModelFamily(fit=_fit)
