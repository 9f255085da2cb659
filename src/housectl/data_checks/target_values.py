"""Traps in the values of the target: classes, skewness and sentinels."""

from collections.abc import Iterator

import numpy as np
from msgspec import UNSET

from housectl.contract.schema import Target
from housectl.data_checks.copies import MAX_CLASSES
from housectl.data_checks.problem import DataProblem
from housectl.data_checks.sample import Floats, Sample
from housectl.data_checks.sentinels import SENTINELS, is_far
from housectl.data_checks.skewness import is_heavily_skewed, is_logarithm_better


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
    for sentinel in sorted(SENTINELS.intersection(distinct[[0, -1]].tolist())):
        others = distinct[distinct != sentinel]
        if is_far(sentinel, low=others[0], high=others[-1]):
            yield DataProblem(
                message=f"{np.sum(values == sentinel)} rows have the {name} {sentinel:.0f}, far "
                "from all others: it may mean a missing value.",
                hint=f'Add "{sentinel:.0f}" to `csv: {{missing: …}}` in housectl.yaml, or correct '
                "these rows.",
            )
