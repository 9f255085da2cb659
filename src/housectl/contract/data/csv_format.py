"""The format of a CSV file: separator, encoding, marks of numbers, spellings of missing values."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class CsvFormat:
    """The format of a CSV file; the defaults are those of an ordinary file.

    Attributes:
        separator: Character between two cells.
        decimal: Mark before the decimals of a number.
        thousands: Mark between groups of three digits; empty for none.
        encoding: Encoding of the text. UTF-8 may begin with a byte order mark.
        skip_lines: Number of lines before the header.
        footer_lines: Number of lines after the last row; blank lines count.
        units_row: True if the row below the header has the units of the columns.
        symbols: Texts before or after numbers that are not part of them, such as `$` and `%`.
        missing: Texts of missing values, without spaces around them. An empty cell is always
            missing.
    """

    separator: str = ","
    decimal: str = "."
    thousands: str = ""
    encoding: str = "utf-8"
    skip_lines: int = 0
    footer_lines: int = 0
    units_row: bool = False
    symbols: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("",)

    @property
    def differences(self) -> dict[str, object]:
        """The fields that differ from the default."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: value for name, value in values.items() if value != getattr(DEFAULT_FORMAT, name)
        }

    @property
    def has_plain_numbers(self) -> bool:
        """True if numbers have the decimal point, and neither other marks nor symbols."""
        return self.decimal == "." and not self.thousands and not self.symbols

    @cached_property
    def has_missing_number(self) -> bool:
        """True if a number means that a value is missing, such as -999."""
        return any(any(map(str.isdigit, text)) for text in self.missing)

    def is_missing(self, text: str) -> bool:
        """Return True if a cell has no value."""
        return text.strip() in self._missing

    def find_missing(self, texts: Iterable[str]) -> Iterator[bool]:
        """Return for each cell True if it has no value."""
        return map(self._missing.__contains__, map(str.strip, texts))

    def plain_number(self, text: str) -> str | None:
        """Return the text of a number with a decimal point; None for another text."""
        if self.has_plain_numbers:
            return text
        match = self._number.fullmatch(text.strip())
        if not match:
            return None
        number = "".join(match.groups(""))
        digits = number.replace(self.thousands, "") if self.thousands else number
        return digits.replace(self.decimal, ".")

    @cached_property
    def _missing(self) -> frozenset[str]:
        return frozenset(("", *self.missing))

    @cached_property
    def _number(self) -> re.Pattern[str]:
        mark = re.escape(self.thousands)
        groups = rf"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+|" if mark else ""
        point = re.escape(self.decimal)
        digits = rf"(?={point}?[0-9])(?:{groups}[0-9]*)(?:{point}[0-9]*)?"
        number = rf"{digits}(?:[eE][+-]?[0-9]+)?"
        symbol = "|".join(map(re.escape, self.symbols))
        if not symbol:
            return re.compile(rf"([+-]?{number})")
        return re.compile(rf"([+-]?)\s?(?:{symbol})?\s?([+-]?{number})\s?(?:{symbol})?")


DEFAULT_FORMAT = CsvFormat()
