"""Marks of numbers: decimal mark, thousands separator, and signs of currency and percent."""

import re
from collections.abc import Sequence
from dataclasses import replace

from housectl.contract.data.csv_format import CsvFormat
from housectl.scaffold.file_format.number_text import parse_number

_SYMBOLS = ("%", "$", "€", "£", "¥", "₹", "USD", "EUR", "GBP", "CHF")
_NUMBER_WITH_SYMBOL = re.compile(
    rf"[+-]?\s?({'|'.join(map(re.escape, _SYMBOLS))})\s?[+-]?[\d.,' ]+|"
    rf"[+-]?[\d.,' ]+\s?({'|'.join(map(re.escape, _SYMBOLS))})"
)
_THOUSANDS_FIRST = ((".", ""), (".", ","), (",", ""), (",", "."))
_DECIMAL_FIRST = ((".", ""), (",", ""), (",", "."), (".", ","))
_OTHERS = tuple((decimal, mark) for mark in (" ", "\u00a0", "\u202f", "'") for decimal in ".,")


def with_number_marks(csv_format: CsvFormat, samples: Sequence[Sequence[str]]) -> CsvFormat:
    """Return the format with which most columns are numbers.

    Args:
        csv_format: Format of the file without marks of numbers.
        samples: Different texts with digits, from each column.
    """
    symbols = _symbols(samples)
    formats = [
        replace(csv_format, symbols=symbols, decimal=decimal, thousands=thousands)
        for decimal, thousands in _marks(csv_format.separator)
    ]
    return max(formats, key=lambda each: _score(each, samples))


def _marks(separator: str) -> Sequence[tuple[str, str]]:
    # "1,234" is 1234 in a file with commas between cells, and 1.234 in one with semicolons.
    return (*(_THOUSANDS_FIRST if separator == "," else _DECIMAL_FIRST), *_OTHERS)


def _symbols(samples: Sequence[Sequence[str]]) -> tuple[str, ...]:
    found = {
        match[1] or match[2]
        for sample in samples
        if sample and all(matches := [*map(_NUMBER_WITH_SYMBOL.fullmatch, sample)])
        for match in matches
        if match
    }
    return tuple(symbol for symbol in _SYMBOLS if symbol in found)


def _score(csv_format: CsvFormat, samples: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Return the number of columns that are numbers, and the number of texts that are."""
    numbers = [
        sum(parse_number(text, csv_format) is not None for text in texts) for texts in samples
    ]
    whole = sum(0 < count == len(texts) for count, texts in zip(numbers, samples, strict=True))
    return whole, sum(numbers)
