"""Kubernetes quantities, such as 500m or 4Gi, and durations: for manifests and people."""

import re
from decimal import Decimal
from typing import Final

_FACTORS: Final = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:[eE](?P<exponent>[+-]?\d+)|(?P<suffix>\D+))?"
)
_MIB, _GIB = 2**20, 2**30
_MINUTE, _HOUR = 60, 3600
# Larger numbers need no decimal.
_MANY = 10


def parse_quantity(text: str) -> Decimal:
    """Return the number of a quantity: 0.5 of `500m`, 2147483648 of `2Gi`.

    Raises:
        ValueError: The text is not a quantity.
    """
    number, suffix = _split(text)
    return number * _FACTORS[suffix]


def format_bytes(size: int) -> str:
    """Return a number of bytes as an exact quantity, in the largest unit that divides it."""
    for unit, suffix in ((_GIB, "Gi"), (_MIB, "Mi")):
        if size % unit == 0:
            return f"{size // unit}{suffix}"
    return str(size)


def format_mebibytes(size: float | Decimal) -> str:
    """Return a number of bytes in MiB, for people."""
    return f"{size / _MIB:.0f} MiB"


def readable_quantity(text: str) -> str:
    """Return a quantity of bytes with a unit, rounded to one MiB: `4Gi` of `4294967296`."""
    if not text.isdecimal():
        return text
    size = int(text)
    return f"{size // _GIB}Gi" if size % _GIB == 0 else f"{size / _MIB:.0f}Mi"


def double_quantity(text: str) -> str:
    """Return twice a quantity of bytes in its unit: `8Gi` of `4Gi`.

    Raises:
        ValueError: The text is not a quantity.
    """
    number, suffix = _split(readable_quantity(text))
    return f"{(2 * number).normalize():f}{suffix}"


def format_seconds(seconds: float) -> str:
    """Return an estimated duration with its unit, such as `12 s`, `4 min` or `1.5 h`."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1g} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    hours = seconds / _HOUR
    return f"{hours:.0f} h" if hours >= _MANY else f"{hours:.1f} h"


def _split(text: str) -> tuple[Decimal, str]:
    """Return the number and the suffix of a quantity."""
    match = _QUANTITY.fullmatch(text)
    suffix = match["suffix"] or "" if match else None
    if match is None or suffix not in _FACTORS:
        raise ValueError(f"{text!r} is not a quantity such as 500m or 4Gi")
    return Decimal(match["number"]).scaleb(int(match["exponent"] or 0)), suffix
