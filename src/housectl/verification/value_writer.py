"""Values of features as clients write them in JSON, each in one of several forms."""

import random

from housectl.contract.cells import Cell, write_cell
from housectl.contract.column_types import (
    ISO_8601,
    MAX_TEXT_LENGTH,
    Category,
    ColumnType,
    Datetime,
    Number,
)

_MAX_INTEGER = 2**53
_MIDNIGHT = "T00:00:00"
_UTC_OFFSETS = ("", "Z", "+00:00")


class ValueWriter:
    """Writes doubles as values of a request.

    Args:
        rng: Source of all choices.
    """

    def __init__(self, rng: random.Random) -> None:
        self._random = rng

    def write(self, column: ColumnType, value: float) -> Cell:
        """Return a cell whose double is this."""
        cell = write_cell(column, value)
        if isinstance(column, Number) and isinstance(cell, float):
            return self._number(cell)
        if isinstance(column, Category) and isinstance(cell, str) and cell not in column.levels:
            return self.unknown_level(column)
        if isinstance(column, Datetime) and isinstance(cell, str) and column.format == ISO_8601:
            return self._date(cell)
        return cell

    def unknown_level(self, column: Category) -> str:
        """Return a text that is no level, though it can resemble one."""
        level = self._random.choice(column.levels)
        texts = (level.swapcase(), f"{level}_", level[:-1], self._random.randbytes(4).hex(), "é?")
        unknown = [
            text
            for text in texts
            if text.strip() not in column.levels and len(text) <= MAX_TEXT_LENGTH
        ]
        return self._random.choice(unknown)

    def _number(self, value: float) -> float:
        is_short = value.is_integer() and abs(value) < _MAX_INTEGER
        return int(value) if is_short and self._random.getrandbits(1) else value

    def _date(self, text: str) -> str:
        if text.endswith(_MIDNIGHT) and self._random.getrandbits(1):
            return text.removesuffix(_MIDNIGHT)
        return text + self._random.choice(_UTC_OFFSETS)
