"""Logarithm and exponential function, equal on every machine.

Those of the libraries differ in the last bit between processors, so they would give other models.
These use only operations that IEEE 754 defines to the last bit.
"""

from fractions import Fraction
from math import factorial, sqrt

import numpy as np

from housectl_trainer.subset import Floats

# The sum of both is ln 2. The first has so few digits that its multiples are exact.
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")

_LOG_TERMS = 12
_EXP_TERMS = 15


def log(values: Floats) -> Floats:
    """Return the natural logarithms of positive numbers."""
    mantissas, exponents = np.frexp(values)
    is_low = mantissas < sqrt(0.5)
    mantissas = np.where(is_low, 2 * mantissas, mantissas)
    exponents = exponents - is_low
    # log m = 2 artanh s
    s = (mantissas - 1) / (mantissas + 1)
    series = _polynomial(s * s, [2 / (2 * power + 1) for power in range(_LOG_TERMS)])
    logarithms: Floats = exponents * _LN2_HIGH + (exponents * _LN2_LOW + s * series)
    return logarithms


def exp(values: Floats) -> Floats:
    """Return the exponentials of numbers from -700 to 700."""
    exponents = np.rint(values / (_LN2_HIGH + _LN2_LOW))
    rest = (values - exponents * _LN2_HIGH) - exponents * _LN2_LOW
    series = _polynomial(
        rest, [float(Fraction(1, factorial(power))) for power in range(_EXP_TERMS)]
    )
    return np.ldexp(series, exponents.astype(np.int64))


def _polynomial(x: Floats, coefficients: list[float]) -> Floats:
    """Return the sum of coefficients[k] * x**k."""
    total = np.zeros_like(x)
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total
