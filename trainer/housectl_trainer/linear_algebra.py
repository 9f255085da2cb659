"""Linear algebra whose results have the same bits on every machine.

IEEE 754 prescribes each bit of a sum, product, quotient and square root of two numbers. So equal
steps in an equal order give equal results. Reference: G. H. Golub, C. F. Van Loan, "Matrix
Computations", 4th edition (2013), sections 3.1 and 4.2.
"""

import numpy as np

from housectl_trainer.subset import Floats


def gram_matrix(columns: Floats) -> Floats:
    """Return the products of all pairs of columns.

    Args:
        columns: `(m, n)`, one column of n values in each line, contiguous.

    Returns:
        `(m, m)`, symmetric.
    """
    # BLAS, and so `columns @ columns.T`, adds in an order that depends on the processor.
    matrix = np.empty((len(columns), len(columns)))
    for number, column in enumerate(columns):
        products = (columns[number:] * column).sum(axis=1)
        matrix[number, number:] = matrix[number:, number] = products
    return matrix


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
