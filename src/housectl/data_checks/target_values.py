"""Traps in the values of the target: classes, skewness and sentinels."""

from collections.abc import Iterator

import numpy as np
from msgspec import UNSET

from housectl.contract.schema import Target
from housectl.data_checks.copies import MAX_CLASSES
from housectl.data_checks.problem import DataProblem
from housectl.data_checks.sample import Floats, Sample
from housectl.data_checks.skewness import is_heavily_skewed, is_logarithm_better

_NINES = {10.0**digits - 1 for digits in range(1, 10)}
_SENTINELS = sorted({-1.0, *_NINES, *(-nine for nine in _NINES)})


def find_target_problems(target: Target, values: Floats, sample: Sample) -> Iterator[DataProblem]:
    """Yield the problems of the target's values.

    Args:
        target: The target.
        values: All of its values.
        sample: Rows of the data.
    """
    distinct = np.unique(values)
    if len(distinct) <= MAX_CLASSES:
        yield DataProblem(
            message=f"{target.name} has only {len(distinct)} different values: this looks like "
            "classes; housectl predicts numbers.",
            hint="Set `target:` in housectl.yaml to a measured number, or train a classifier "
            "with another tool.",
        )
        return
    yield from _sentinel_problems(target.name, values, distinct)
    if target.transform is UNSET and needs_logarithm(sample):
        times = float(distinct[-1] / np.median(values))
        yield DataProblem(
            message=f"{target.name} is heavily skewed: its largest value is {times:.3g} times its "
            "median.",
            hint="Set `transform: log` under `target:` in housectl.yaml. Errors stay in the "
            "target's unit.",
        )


def needs_logarithm(sample: Sample) -> bool:
    """Return True if the target is heavily skewed, and its logarithm is easier to predict."""
    has_classes = len(np.unique(sample.target)) <= MAX_CLASSES
    return not has_classes and is_heavily_skewed(sample.target) and is_logarithm_better(sample)


def _sentinel_problems(name: str, values: Floats, distinct: Floats) -> Iterator[DataProblem]:
    for sentinel in _SENTINELS:
        count = int(np.sum(values == sentinel))
        if count and _is_far(sentinel, distinct):
            yield DataProblem(
                message=f"{count} rows have the {name} {sentinel:g}, far from all others: it may "
                "mean a missing value.",
                hint=f'Set `csv: {{missing: ["", "{sentinel:g}"]}}` in housectl.yaml, or correct '
                "these rows.",
            )


def _is_far(value: float, distinct: Floats) -> bool:
    """Return True if the gap to the nearest other value exceeds the range of all others."""
    others = distinct[distinct != value]
    gap = float(np.abs(others - value).min())
    is_outside = value < others[0] or value > others[-1]
    return bool(is_outside and gap > others[-1] - others[0])
