"""Checks of the target's column: housectl predicts numbers."""

import math
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from shlex import quote

from housectl.errors import DataError, UsageError
from housectl.scaffold.columns.profile import ColumnProfile

_MAX_CELL_LENGTH = 40


def check_target_exists(names: Sequence[str], target: str, data: Path) -> None:
    """Check that the data has the target's column.

    Raises:
        UsageError: It has no such column.
    """
    if target in names:
        return
    similar = get_close_matches(target, names, n=1)
    column = quote(similar[0]) if similar else f"COLUMN   # {', '.join(names)}"
    raise UsageError(
        f"{data} has no column {target!r}.",
        hint=f"housectl init --data {quote(str(data))} --target {column}",
    )


def check_target(target: ColumnProfile, data: Path) -> None:
    """Check that a model can predict the target.

    Raises:
        DataError: The target has no values, a text, one value, or numbers beyond float64.
    """
    if not target.cells:
        raise DataError(
            f"{data} has a header, but no rows of data.",
            hint=f"wc -l {quote(str(data))}   # then add rows",
        )
    if not target.counts:
        raise _unusable(target, data, "all its cells are missing", "Choose another target.")
    if not target.is_numeric:
        raise _not_numeric(target, data)
    if len(target.different_values) == 1:
        raise _unusable(
            target, data, f"it is constant, {target.values[0]:g}", "Choose a column that varies."
        )
    if math.isinf(target.magnitude):
        raise _unusable(
            target,
            data,
            "it has numbers with more than 308 digits, the limit of double precision",
            f"Express {target.name} in a larger unit in the data file.",
        )


def _not_numeric(target: ColumnProfile, data: Path) -> DataError:
    texts = target.counts.keys() - target.numbers.keys()
    line = target.first_line(texts)
    cell = target.cells[target.lines.index(line)][:_MAX_CELL_LENGTH]
    if target.numbers:
        return _unusable(
            target,
            data,
            f"{sum(target.counts[text] for text in texts)} of its cells are text, the first in "
            f"line {line}: {cell!r}",
            "Correct these cells, or empty them: rows without a target are left out.",
        )
    return _unusable(
        target,
        data,
        f"its cells are text, in line {line} {cell!r}, and housectl predicts numbers",
        f"housectl init --data {quote(str(data))} --target COLUMN   # a column of numbers",
    )


def _unusable(target: ColumnProfile, data: Path, cause: str, hint: str) -> DataError:
    return DataError(f"The target {target.name} of {data} is unusable: {cause}.", hint=hint)
