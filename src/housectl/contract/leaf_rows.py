"""Numbers of training rows in the leaves of a tree graph, which contributions depend on."""

from typing import TYPE_CHECKING

from housectl.contract.record import require

if TYPE_CHECKING:
    from housectl.contract.graph.arrays import Integers

LEAF_ROWS_FILE = "leaf_rows.bin"

_TYPE = "<u4"
_BYTES = 4

MAX_LEAF_ROWS_BYTES = _BYTES * 2**25


def encode_leaf_rows(rows: "Integers") -> bytes:
    """Return the numbers of rows of all leaves, each as 4 bytes with the lowest first.

    Args:
        rows: `(leaves,)`, in the order of the graph's leaves.
    """
    return rows.astype(_TYPE).tobytes()


def check_leaf_rows(data: bytes | None, *, leaves: int) -> None:
    """Check the length of the numbers of rows, if a bundle has them.

    Raises:
        MalformedRecordError: The data has another length.
    """
    expected = _BYTES * leaves
    require(
        data is None or len(data) == expected,
        f"the numbers of rows have {len(data or b'')} bytes instead of {expected}",
    )


def decode_leaf_rows(data: bytes, *, leaves: int) -> "Integers":
    """Return `(leaves,)`, the numbers of rows of all leaves.

    Raises:
        MalformedRecordError: There is another number of leaves.
    """
    import numpy as np

    check_leaf_rows(data, leaves=leaves)
    return np.frombuffer(data, dtype=_TYPE).astype(np.int64)
