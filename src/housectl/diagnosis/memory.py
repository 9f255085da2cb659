"""Amounts of memory, as Kubernetes writes them and as people read them."""

import re

_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([kKMGT]i?)?")


def doubled(quantity: str) -> str:
    """Return twice an amount, in the unit that it has: 8Gi of 4Gi."""
    match = _QUANTITY.match(quantity)
    return f"{float(match[1]) * 2:g}{match[2] or ''}" if match else quantity


def mebibytes(size: int) -> str:
    """Return a number of bytes in MiB."""
    return f"{size / 2**20:.0f} MiB"
