"""Linear algebra whose results have the same bits on every machine.

IEEE 754 prescribes each bit of a sum, product, quotient and square root of two numbers. So equal
steps in an equal order give equal results. Reference: G. H. Golub, C. F. Van Loan, "Matrix
Computations", 4th edition (2013), sections 3.1 and 4.2.
"""

import numpy as np

from housectl_trainer.subset import Floats

_BLOCK_VALUES = 2**16


def gram_matrix(columns: Floats) -> Floats:
    """Return the products of all pairs of columns.

    Args:
        columns: `(m, n)`, one column of n values in each line, contiguous.

    Returns:
        `(m, m)`, symmetric.
    """
    matrix = np.empty((len(columns), len(columns)))
    for number, column in enumerate(columns):
        products = sums_of_products(columns[number:], column)
        matrix[number, number:] = matrix[number:, number] = products
    return matrix


def sums_of_products(columns: Floats, vector: Floats) -> Floats:
    """Return the sum of the products of each column with a vector.

    Args:
        columns: `(m, n)`, one column of n values in each line, contiguous.
        vector: `(n,)`.

    Returns:
        `(m,)`.
    """
    # BLAS, and so `columns @ vector`, adds in an order that depends on the processor. Blocks of
    # lines keep the products in the processor's cache.
    size = max(1, _BLOCK_VALUES // len(vector))
    blocks = (columns[start : start + size] for start in range(0, len(columns), size))
    return np.concatenate([(block * vector).sum(axis=1) for block in blocks])


def solve(matrix: Floats, vector: Floats) -> Floats:
    """Return x for which `matrix @ x` is the vector, by a Cholesky decomposition.

    Args:
        matrix: `(m, m)`, symmetric and positive definite.
        vector: `(m,)`.
    """
    lower = _cholesky(matrix)
    solution = vector.copy()
    for number in range(len(solution)):
        solution[number] /= lower[number, number]
        solution[number + 1 :] -= lower[number + 1 :, number] * solution[number]
    for number in reversed(range(len(solution))):
        solution[number] /= lower[number, number]
        solution[:number] -= lower[number, :number] * solution[number]
    return solution


def _cholesky(matrix: Floats) -> Floats:
    """Return the lower triangle whose product with its transpose is the matrix."""
    lower = np.tril(matrix)
    for number in range(len(lower)):
        lower[number:, number] /= np.sqrt(lower[number, number])
        below = lower[number + 1 :, number]
        lower[number + 1 :, number + 1 :] -= below[:, np.newaxis] * below
    return lower
