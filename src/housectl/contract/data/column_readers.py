"""Readers of a data file's columns: each collects the values of one column."""

from array import array
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from housectl.contract.cells import InvalidCellError
from housectl.contract.column_types import ColumnType
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.text_cells import canonical_text, convert_numbers, read_text_cell

_MAX_CACHED_TEXTS = 2**14

V = TypeVar("V")


class ColumnError(ValueError):
    """A cell that its column does not accept; the text is the problem.

    Attributes:
        index: Index of the cell among those of the call.
        text: Text of the cell.
        hint: Hint that is better than the usual one for such a cell, if there is one.
    """

    def __init__(self, index: int, text: str, problem: str, *, hint: str | None = None) -> None:
        super().__init__(problem)
        self.index = index
        self.text = text
        self.hint = hint


class ColumnReader(Protocol):
    """Reader of one column, chunk by chunk."""

    def extend(self, texts: Sequence[str]) -> None:
        """Read further cells.

        Raises:
            ColumnError: The column does not accept a cell.
        """


class _CachedReading(Generic[V]):
    """Reads cells one by one, and equal ones once."""

    def __init__(self, read: Callable[[str], V]) -> None:
        self._read = read
        self._cache: dict[str, V] = {}

    def read(self, texts: Sequence[str]) -> list[V]:
        """Return the values of cells.

        Raises:
            ColumnError: A cell is invalid.
        """
        cache = self._cache
        for index, text in enumerate(texts):
            if text not in cache:
                self._add(index, text)
        values = [cache[text] for text in texts]
        if len(cache) > _MAX_CACHED_TEXTS:
            cache.clear()
        return values

    def _add(self, index: int, text: str) -> None:
        try:
            self._cache[text] = self._read(text)
        except InvalidCellError as error:
            raise ColumnError(index, text, str(error)) from error


class NumberReader:
    """Collects the doubles of a column, in `values`; NaN if missing."""

    def __init__(self, column: ColumnType, csv_format: CsvFormat) -> None:
        self.values = array("d")
        self._column, self._format = column, csv_format
        self._cells = _CachedReading(lambda text: read_text_cell(column, text, csv_format))

    def extend(self, texts: Sequence[str]) -> None:
        """Read further cells.

        Raises:
            ColumnError: The column does not accept a cell.
        """
        converted = convert_numbers(self._column, texts, self._format)
        self.values.extend(converted[1] if converted else self._cells.read(texts))


class PositiveReader(NumberReader):
    """Collects the doubles of a target that is learned as its logarithm."""

    def extend(self, texts: Sequence[str]) -> None:
        """Read further cells.

        Raises:
            ColumnError: A number is 0 or negative, or not a number.
        """
        super().extend(texts)
        for index, value in enumerate(self.values[len(self.values) - len(texts) :]):
            if value <= 0:
                raise ColumnError(
                    index,
                    texts[index],
                    f"{value:g} has no logarithm",
                    hint="Correct or remove that row, or remove `transform: log` from `target:` "
                    "in housectl.yaml.",
                )


class TextReader:
    """Collects the canonical texts of a column, in `values`; empty if missing.

    Args:
        column: Type of the column; None for a column whose texts are used as they are.
        csv_format: Format of the file.
    """

    def __init__(self, column: ColumnType | None, csv_format: CsvFormat) -> None:
        self.values: list[str] = []
        self._column, self._format = column, csv_format
        self._cells = _CachedReading(lambda text: canonical_text(column, text, csv_format))

    def extend(self, texts: Sequence[str]) -> None:
        """Read further cells.

        Raises:
            ColumnError: A number has another notation than the format's.
        """
        converted = convert_numbers(self._column, texts, self._format)
        self.values.extend(converted[0] if converted else self._cells.read(texts))


class GroupReader(TextReader):
    """Collects the texts of a group column, none of which may be missing."""

    def extend(self, texts: Sequence[str]) -> None:
        """Read further cells.

        Raises:
            ColumnError: A cell is missing.
        """
        super().extend(texts)
        for index, value in enumerate(self.values[len(self.values) - len(texts) :]):
            if not value.strip():
                raise ColumnError(index, texts[index], "the row has no group")
