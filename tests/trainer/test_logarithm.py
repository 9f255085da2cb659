"""Logarithm and exponential function: exact to the last digits, from operations of IEEE 754."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from housectl_trainer.logarithm import exp, log

VALUES = np.concatenate(
    [
        np.exp(np.random.default_rng(0).uniform(-690, 690, 2000)),
        [1.0, math.e, 2.0, 0.5, 1e-300, 1e300, 5e-324, np.nextafter(1, 0), np.nextafter(1, 2)],
    ]
)
EXPONENTS = np.concatenate(
    [np.random.default_rng(1).uniform(-700, 700, 2000), [0.0, -0.0, 1.0, -700.0, 700.0, 1e-20]]
)


def exact(function: str, values: np.ndarray) -> list[Decimal]:
    with localcontext(prec=40):
        return [getattr(Decimal(value), function)() for value in values.tolist()]


@pytest.mark.parametrize(
    ("function", "name", "values"), [(log, "ln", VALUES), (exp, "exp", EXPONENTS)]
)
def test_results_are_exact_to_three_units_in_the_last_place(
    function: object, name: str, values: np.ndarray
) -> None:
    results = function(values)
    for result, expected in zip(results.tolist(), exact(name, values), strict=True):
        assert abs(Decimal(result) - expected) <= 3 * Decimal(math.ulp(float(expected)))


def test_logarithm_of_one_and_exponential_of_zero_are_exact() -> None:
    assert log(np.array([1.0])).tolist() == [0.0]
    assert exp(np.array([0.0])).tolist() == [1.0]
