"""Estimate of a trial's time, from fits of few trees to two samples of the rows.

Times are those of one core's work, which other processes on the machine hardly change.
"""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from housectl.contract.recipe import Recipe, derived_seed
from housectl.contract.record import MalformedRecordError, canonical_json
from housectl.contract.time_protocol import TimeRequest, TrialTime
from housectl.errors import UsageError
from housectl_trainer.data import TrainingData
from housectl_trainer.evaluation import model_mse
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.folds import objective_folds
from housectl_trainer.model_family import load_family
from housectl_trainer.subset import DataSubset

# The fit to the larger sample takes about this long, unless there are fewer rows.
_SECONDS = 0.4
_FEWEST_ROWS = 200
# A fold tests on this part of the number of rows that it trains on.
_TEST_PART = 0.25
# Quickly growing times are extrapolated with an exponent of at most this.
_MAX_EXPONENT = 2.0


@dataclass(frozen=True)
class _Sample:
    """Time of a fit to some rows, and of the predictions of a fold's test rows."""

    rows: int
    seconds: float


def answer_requests(data: TrainingData) -> None:
    """Read requests from stdin, and write an estimate for each to stdout.

    Raises:
        UsageError: A line is not a request.
        AssignmentError: The family or its library rejects an assignment.
        MemoryError: There is not enough memory.
    """
    for line in sys.stdin.buffer:
        estimate = estimate_time(data, _parse_request(line))
        print(canonical_json(estimate).decode(), flush=True)


def estimate_time(data: TrainingData, request: TimeRequest) -> TrialTime:
    """Return the estimated time of an assignment, after fits of about one second.

    Raises:
        AssignmentError: The family or its library rejects the assignment.
        MemoryError: There is not enough memory.
    """
    recipe = make_recipe(data.shared, request.family, request.assignment)
    training = data.training
    rows = len(training)
    trees = recipe.family.definition.trees_of(recipe.assignment)
    few_trees = min(trees, load_family(request.family).measured_trees)
    measure = _measurer(training, seed=derived_seed(recipe.seed, "time"))
    small, large = _measure_twice(lambda rows: measure(_with_trees(recipe, few_trees), rows), rows)
    factor = 1.0
    if few_trees < trees:
        single = measure(_with_trees(recipe, 1), large.rows)
        factor = _tree_factor(single, large, few_trees, trees)
    folds = objective_folds(training, seed=recipe.seed, folds=recipe.objective_folds)
    return TrialTime(
        rows=rows,
        trial_seconds=factor * sum(_extrapolate(small, large, len(fold[0])) for fold in folds),
        fit_seconds=factor * _extrapolate(small, large, rows),
    )


def _parse_request(line: bytes) -> TimeRequest:
    try:
        return TimeRequest.from_json(line)
    except MalformedRecordError as error:
        raise UsageError(
            f"The trainer received an invalid request: {error}.",
            hint="housectl doctor   # sends valid requests",
        ) from error


def _with_trees(recipe: Recipe, trees: int) -> Recipe:
    name = recipe.family.definition.tree_count
    assignment = recipe.assignment if name is None else {**recipe.assignment, name: trees}
    return replace(recipe, assignment=assignment)


def _tree_factor(single: _Sample, few: _Sample, few_trees: int, trees: int) -> float:
    """Return the ratio of the time of all trees to that of few ones.

    A part of the time does not depend on the number of trees: XGBoost sorts each column once.
    """
    tree_seconds = max(few.seconds - single.seconds, 0.0) / max(few_trees - 1, 1)
    return (few.seconds + (trees - few_trees) * tree_seconds) / few.seconds


def _measurer(subset: DataSubset, *, seed: int) -> Callable[[Recipe, int], _Sample]:
    """Return a function that measures a recipe on a number of random rows."""
    order = np.random.default_rng(seed).permutation(len(subset))

    def measure(recipe: Recipe, rows: int) -> _Sample:
        training = subset.take(order[:rows])
        testing = subset.take(order[-max(1, round(rows * _TEST_PART)) :])
        started = time.process_time()
        model_mse(fit(recipe, training), testing)
        return _Sample(rows=rows, seconds=max(time.process_time() - started, 1e-6))

    return measure


def _measure_twice(measure: Callable[[int], _Sample], most: int) -> tuple[_Sample, _Sample]:
    """Measure two samples; the second has at least 1.5 times the rows of the first."""
    rows = min(_FEWEST_ROWS, most // 2)
    # The first fit of a process is slower than the others.
    measure(rows)
    small = measure(rows)
    while small.seconds < _SECONDS / 4 and rows < most // 2:
        rows = min(2 * rows, most // 2)
        small = measure(rows)
    larger = int(rows * _SECONDS / small.seconds)
    return small, measure(min(max(larger, rows * 3 // 2), most))


def _extrapolate(small: _Sample, large: _Sample, rows: int) -> float:
    """Return the time for some rows: a constant part, and a part that sorting dominates.

    Quickly growing times have no constant part, and follow a power.
    """
    work, small_work, large_work = (
        count * math.log2(count + 1) for count in (rows, small.rows, large.rows)
    )
    slope = (large.seconds - small.seconds) / (large_work - small_work)
    constant = large.seconds - slope * large_work
    if slope > 0 and constant >= 0:
        return constant + slope * work
    exponent = math.log(large.seconds / small.seconds) / math.log(large_work / small_work)
    return large.seconds * math.pow(work / large_work, min(max(exponent, 1.0), _MAX_EXPONENT))
