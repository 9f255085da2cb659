"""The tree-structured Parzen estimator: a rule that chooses assignments from earlier results.

See Bergstra et al., "Algorithms for hyper-parameter optimization" (2011), and Falkner et al.,
"BOHB" (2018), for the multivariate form. Constants are those of Optuna's TPESampler.
"""

from collections.abc import Sequence
from random import Random

import numpy as np

from housectl.contract.parameters import Assignment, Value
from housectl.experiment import Parameter
from housectl.search.parzen import ParzenEstimator
from housectl.search.value_scale import ChoiceScale, Scale, scale_of

_CANDIDATES = 24
# Differences of rounding between machines must not decide between equally good candidates.
_SCORE_DIGITS = 9


def random_assignment(parameters: Sequence[Parameter], random: Random) -> dict[str, Value]:
    """Return an assignment in which all positions are equally likely."""
    return {parameter.name: _random_value(scale_of(parameter), random) for parameter in parameters}


def promising_assignment(
    parameters: Sequence[Parameter],
    good: Sequence[Assignment],
    bad: Sequence[Assignment],
    random: Random,
) -> dict[str, Value]:
    """Return the candidate with the highest ratio of its densities among good and bad assignments.

    The candidates come from the density of the good ones.

    Args:
        parameters: The searched parameters.
        good: Earlier assignments with good results, within the ranges, oldest first.
        bad: The others, likewise.
        random: Source of the random numbers.
    """
    scales = [scale_of(parameter) for parameter in parameters]
    good_density, bad_density = (
        ParzenEstimator.around(scales, _columns(parameters, group), observations=len(group))
        for group in (good, bad)
    )
    drawn = [good_density.draw(random) for _ in range(_CANDIDATES)]
    # A candidate's score is that of its rounded values.
    candidates = [
        {
            p.name: scale.value(position)
            for p, scale, position in zip(parameters, scales, positions, strict=True)
        }
        for positions in drawn
    ]
    columns = [
        scale.positions(column)
        for scale, column in zip(scales, _columns(parameters, candidates), strict=True)
    ]
    scores = good_density.log_densities(columns) - bad_density.log_densities(columns)
    return candidates[int(np.argmax(np.round(scores, _SCORE_DIGITS)))]


def _columns(
    parameters: Sequence[Parameter], assignments: Sequence[Assignment]
) -> list[list[Value]]:
    return [[assignment[parameter.name] for assignment in assignments] for parameter in parameters]


def _random_value(scale: Scale, random: Random) -> Value:
    positions = len(scale.choices) if isinstance(scale, ChoiceScale) else 1
    return scale.value(random.random() * positions)
