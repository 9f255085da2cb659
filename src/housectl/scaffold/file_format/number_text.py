"""Texts of numbers in the format of a data file."""

import math
from collections.abc import Iterable

from housectl.contract.cells import to_float
from housectl.contract.data.csv_format import CsvFormat


def parse_number(text: str, csv_format: CsvFormat) -> float | None:
    """Return the value of a number, which is infinite beyond float64; None for another text."""
    plain = csv_format.plain_number(text)
    value = None if plain is None else to_float(plain)
    if plain is None or value is None:
        return None
    return value if any(map(str.isdigit, plain)) or math.isfinite(value) else None


def are_numbers(texts: Iterable[str], csv_format: CsvFormat) -> bool:
    """Return True if all texts that are not missing are numbers, and there are some."""
    present = [text for text in texts if not csv_format.is_missing(text)]
    return bool(present) and all(parse_number(text, csv_format) is not None for text in present)
