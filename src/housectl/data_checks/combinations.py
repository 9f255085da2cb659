"""Linear combinations and products of features that give the target almost exactly."""

from collections.abc import Iterable, Sequence

import numpy as np

from housectl.data_checks.copies import MIN_ROWS, UNEXPLAINED, share
from housectl.data_checks.least_squares import cross_validate, standardise, weights
from housectl.data_checks.sample import Floats, Sample

_MAX_ROWS = 2_000
_MAX_COLUMNS = 200
_ROWS_PER_COLUMN = 4
_MAX_ELIMINATED = 12


def find_linear_combination(sample: Sample, names: Iterable[str]) -> tuple[str, ...]:
    """Return the features whose linear combination is the target; none if there is none.

    Args:
        sample: Rows of the data.
        names: Features that are tried; missing values count as the feature's mean.
    """
    columns = {name: sample.numbers[name][:_MAX_ROWS] for name in names}
    return _find(columns, standardise(sample.target[:_MAX_ROWS]))


def find_product(sample: Sample, names: Iterable[str]) -> tuple[str, ...]:
    """Return the features whose product or ratio is the target; none if there is none.

    Powers count as products. Rows in which the target is 0 are ignored.
    """
    rows = np.flatnonzero(sample.target)[:_MAX_ROWS]
    columns = {name: sample.numbers[name][rows] for name in names}
    logarithms = {
        name: np.log(np.abs(column))
        for name, column in columns.items()
        if column.all() and not np.isnan(column).any()
    }
    return _find(logarithms, np.log(np.abs(sample.target[rows])))


def _find(columns: dict[str, Floats], target: Floats) -> tuple[str, ...]:
    names = list(columns)
    if len(target) < MIN_ROWS or np.ptp(target) == 0 or not names:
        return ()
    matrix = np.column_stack([standardise(columns[name]) for name in names])
    chosen = _most_correlated(matrix, target)
    if not _is_sufficient(matrix[:, chosen], target):
        return ()
    return tuple(names[index] for index in sorted(_reduce(matrix, target, chosen)))


def _most_correlated(matrix: Floats, target: Floats) -> list[int]:
    size = min(_MAX_COLUMNS, len(target) // _ROWS_PER_COLUMN)
    correlations = np.abs(matrix.T @ (target - target.mean()))
    order: list[int] = np.argsort(-correlations, kind="stable").tolist()
    return order[:size]


def _is_sufficient(matrix: Floats, target: Floats) -> bool:
    return share(cross_validate(matrix, target) - target, target) <= UNEXPLAINED


def _reduce(matrix: Floats, target: Floats, chosen: Sequence[int]) -> list[int]:
    """Return few columns that are still sufficient: those with the largest weights."""
    order = np.argsort(-np.abs(weights(matrix[:, list(chosen)], target)), kind="stable")
    kept = [chosen[index] for index in order]
    low, high = 1, len(kept)
    while low < high:
        middle = (low + high) // 2
        if _is_sufficient(matrix[:, kept[:middle]], target):
            high = middle
        else:
            low = middle + 1
    kept = kept[:high]
    for index in list(reversed(kept))[:_MAX_ELIMINATED]:
        others = [other for other in kept if other != index]
        if others and _is_sufficient(matrix[:, others], target):
            kept = others
    return kept
