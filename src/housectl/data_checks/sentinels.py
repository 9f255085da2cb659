"""Numbers that often mean a missing value, such as -999."""

_NINES = tuple(10.0**digits - 1 for digits in range(1, 10))

SENTINELS = frozenset((-1.0, *_NINES, *(-number for number in _NINES)))


def is_far(sentinel: float, *, low: float, high: float) -> bool:
    """Return True if a sentinel is far from all other numbers, which are in this range."""
    gap = max(low - sentinel, sentinel - high)
    return gap > max(high - low, abs(sentinel) / 2)
