"""The format of a CSV file: separator, encoding, marks of numbers, spellings of missing values."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

MISSING_SPELLINGS = (
    *("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "none", "?", "-", "."),
    "missing",
)
"""Usual spellings of missing values."""


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
        missing: Texts of missing values, without spaces around them. An empty cell is always
            missing.
    """

    separator: str = ","
    decimal: str = "."
    thousands: str = ""
    encoding: str = "utf-8"
    skip_lines: int = 0
    footer_lines: int = 0
    missing: tuple[str, ...] = ("",)

    @property
    def has_plain_numbers(self) -> bool:
        """True if numbers have the decimal point, and no mark between thousands."""
        return self.decimal == "." and not self.thousands

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
        """Return the text of a number with a decimal point; None for another notation."""
        if self.has_plain_numbers:
            return text
        stripped = text.strip()
        if not self._number.fullmatch(stripped):
            return None
        digits = stripped.replace(self.thousands, "") if self.thousands else stripped
        return digits.replace(self.decimal, ".")

    @cached_property
    def _missing(self) -> frozenset[str]:
        return frozenset(("", *self.missing))

    @cached_property
    def _number(self) -> re.Pattern[str]:
        mark = re.escape(self.thousands)
        groups = rf"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+|" if mark else ""
        decimals = rf"(?:{re.escape(self.decimal)}[0-9]*)?"
        return re.compile(rf"[+-]?(?:{groups}[0-9]*){decimals}(?:[eE][+-]?[0-9]+)?")


DEFAULT_FORMAT = CsvFormat()
