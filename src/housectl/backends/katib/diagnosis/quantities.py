"""Amounts of memory, as Kubernetes writes them and as people read them."""

import re

_GIB, _MIB = 2**30, 2**20
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([kKMGT]i?)?")


def quantity(size: int) -> str:
    """Return a number of bytes in the largest unit that divides it: 4Gi of 4294967296."""
    for unit, suffix in ((_GIB, "Gi"), (_MIB, "Mi")):
        if size % unit == 0:
            return f"{size // unit}{suffix}"
    return str(size)


def format_quantity(quantity: str) -> str:
    """Return an amount with a unit: 4Gi of 4294967296."""
    if not quantity.isdecimal():
        return quantity
    size = int(quantity)
    return f"{size // _GIB}Gi" if size % _GIB == 0 else f"{size / _MIB:.0f}Mi"


def double(quantity: str) -> str:
    """Return twice an amount, in the unit that it has: 8Gi of 4Gi."""
    match = _QUANTITY.match(format_quantity(quantity))
    return f"{float(match[1]) * 2:g}{match[2] or ''}" if match else quantity


def mebibytes(size: int) -> str:
    """Return a number of bytes in MiB."""
    return f"{size / _MIB:.0f} MiB"
