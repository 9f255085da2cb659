"""Profile of a column: the facts about its cells that the rules for its type read."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.text_cells import read_plain_numbers
from housectl.scaffold.file_format.number_text import parse_number

_LEADING_ZERO = re.compile(r"[+-]?0\d+")


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """The cells of a column, and facts about them.

    Attributes:
        cells: Text of each row, without spaces around it.
        lines: Number of each row's line in the file.
        unit: Unit from the row of units below the header; empty without one.
    """

    name: str
    cells: Sequence[str]
    lines: Sequence[int]
    csv_format: CsvFormat
    unit: str = ""

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Number of rows of each text that is not missing, in the order of the first rows."""
        counts = Counter(self.cells)
        for text in ("", *self.csv_format.missing):
            counts.pop(text, None)
        return counts

    @cached_property
    def present(self) -> int:
        """Number of cells that are not missing."""
        return sum(self.counts.values())

    @property
    def missing(self) -> int:
        """Number of missing cells."""
        return len(self.cells) - self.present

    @property
    def is_unique(self) -> bool:
        """True if each present cell has its own text."""
        return len(self.counts) == self.present

    @cached_property
    def numbers(self) -> Mapping[str, float]:
        """Value of each text that is a number; infinite for one beyond float64."""
        values = ((text, parse_number(text, self.csv_format)) for text in self.counts)
        return {text: value for text, value in values if value is not None}

    @property
    def is_numeric(self) -> bool:
        """True if all present cells are numbers."""
        if self._plain_values is not None:
            return bool(self.counts)
        return len(self.numbers) == len(self.counts) > 0

    @cached_property
    def has_leading_zeros(self) -> bool:
        """True if a text begins with a zero and another digit, as codes do."""
        return any(map(_LEADING_ZERO.fullmatch, self.counts))

    @cached_property
    def values(self) -> Sequence[float]:
        """Value of each present cell of a column of numbers."""
        if self._plain_values is not None:
            return self._plain_values
        return [self.numbers[text] for text in self.cells if text in self.numbers]

    @cached_property
    def _plain_values(self) -> Sequence[float] | None:
        """Value of each present cell if all are plain numbers; None for another column.

        A dictionary of all texts would be slow for many different numbers.
        """
        if not self.csv_format.has_plain_numbers:
            return None
        missing = {"", *self.csv_format.missing}
        return read_plain_numbers([text for text in self.cells if text not in missing])

    @cached_property
    def different_values(self) -> Sequence[float]:
        """The different values of a column of numbers, in ascending order."""
        different: list[float] = np.unique(self.values).tolist()
        return different

    @cached_property
    def minimum(self) -> float:
        """Smallest value of a column of numbers."""
        return min(self.values)

    @cached_property
    def maximum(self) -> float:
        """Largest value of a column of numbers."""
        return max(self.values)

    @property
    def magnitude(self) -> float:
        """Largest absolute value of a column of numbers."""
        return max(-self.minimum, self.maximum)

    @cached_property
    def float32_values(self) -> Sequence[float]:
        """The different values of a column of numbers, rounded to float32."""
        rounded: list[float] = np.unique(np.array(self.different_values, dtype=np.float32)).tolist()
        return rounded

    def first_line(self, texts: Iterable[str]) -> int:
        """Return the number of the first line with one of these texts."""
        wanted = set(texts)
        return next(
            line for line, text in zip(self.lines, self.cells, strict=True) if text in wanted
        )
