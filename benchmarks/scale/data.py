"""Generated data of any number of rows: 17 numbers, two categories and a target."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TARGET = "price"

_SEED = 11
_BLOCK_ROWS = 10_000
_TOWNS = tuple(f"town {number:02}" for number in range(24))
_KINDS = ("flat", "house", "loft", "villa")
_NUMBERS = tuple(f"x{number:02}" for number in range(1, 18))
_WITH_GAPS = frozenset({"x03", "x11", "x17"})
_SHARE_MISSING = 0.06

_Floats = NDArray[np.float64]


def write_data(path: Path, rows: int) -> None:
    """Write a CSV file; the rows of a small file are the first ones of a large file."""
    with path.open("w") as file:
        file.write(",".join((*_NUMBERS, "town", "kind", TARGET)) + "\n")
        for block in range(-(-rows // _BLOCK_ROWS)):
            size = min(_BLOCK_ROWS, rows - block * _BLOCK_ROWS)
            file.writelines(list(_lines(block))[:size])


def _lines(block: int) -> Iterator[str]:
    generator = np.random.default_rng([_SEED, block])
    base = generator.standard_normal((_BLOCK_ROWS, len(_NUMBERS)))
    towns = generator.integers(len(_TOWNS), size=_BLOCK_ROWS)
    kinds = generator.integers(len(_KINDS), size=_BLOCK_ROWS)
    targets = _targets(base, towns, kinds) + generator.normal(0, 12, _BLOCK_ROWS)
    gaps = generator.random(base.shape) < _SHARE_MISSING
    columns = [
        *(_texts(name, base[:, place], gaps[:, place]) for place, name in enumerate(_NUMBERS)),
        [_TOWNS[code] for code in towns],
        [_KINDS[code] for code in kinds],
        [f"{value:.2f}" for value in targets.tolist()],
    ]
    return (",".join(cells) + "\n" for cells in zip(*columns, strict=True))


def _targets(base: _Floats, towns: NDArray[np.int64], kinds: NDArray[np.int64]) -> _Floats:
    """Return a function with steps, curves and products, as the prices of houses have."""
    linear = base[:, :6] @ np.array([20.0, 14, 9, 6, 4, 3])
    curves = 15 * np.sin(2 * base[:, 6]) + 10 * base[:, 7] * base[:, 8] + 8 * np.abs(base[:, 9])
    levels = 3.0 * (towns % 7) + np.array([0.0, 18, 7, 40])[kinds] * (1 + 0.2 * base[:, 0])
    values: _Floats = 300 + linear + curves + levels
    return values


def _texts(name: str, values: _Floats, gaps: NDArray[np.bool_]) -> Sequence[str]:
    """Return the cells of a column: each has its own unit, and 5 to 8 significant digits."""
    place = _NUMBERS.index(name)
    scale, digits = 10.0 ** (place % 4), 7 - place % 4
    texts = [f"{value:.{digits - 2}f}" for value in (values * scale + 4 * scale).tolist()]
    if name not in _WITH_GAPS:
        return texts
    return ["" if is_gap else text for text, is_gap in zip(texts, gaps.tolist(), strict=True)]
