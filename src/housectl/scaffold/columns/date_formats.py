"""Formats of dates and times: detection of the one that all texts of a column have."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from housectl.contract.cells import InvalidCellError, read_text
from housectl.contract.column_types import ISO_8601, Datetime

_SAMPLE = 50
_MAX_DATE_LENGTH = 40
_DATES = (
    *("%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y"),
    *("%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y"),
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m", "%Y/%m", "%m/%Y"),
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y"),
    *("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%b %Y", "%B %Y", "%b-%Y"),
)
_TIMES = (
    *("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p"),
    *("T%H:%M", "T%H:%M:%S", "T%H:%M:%SZ"),
)
FORMATS = (ISO_8601, *(date + time for date, time in product(_DATES, _TIMES)))
"""Formats in the order of preference."""


@dataclass(frozen=True, kw_only=True)
class DateFormats:
    """The formats that all texts of a column have, the best one first."""

    formats: tuple[str, ...]

    @property
    def is_ambiguous(self) -> bool:
        """True if the data does not show the order of day and month."""
        return len(self.formats) > 1


def detect_date_formats(texts: Collection[str], *, in_order: Sequence[str]) -> DateFormats | None:
    """Return the formats of some dates; None if they have no common format.

    Args:
        texts: The different texts of a column.
        in_order: The texts of all rows. A format in which they are sorted is the best one.
    """
    sample = [*islice(texts, _SAMPLE)]
    if not all(any(map(str.isdigit, text)) and len(text) <= _MAX_DATE_LENGTH for text in sample):
        return None
    likely = [each for each in FORMATS if _fits(each, sample)]
    formats = [*_first_of_each_reading(each for each in likely if _fits(each, texts))]
    if not formats:
        return None
    if len(formats) > 1:
        formats.sort(key=lambda each: not _is_sorted(each, in_order))
        if _is_sorted(formats[0], in_order) and not _is_sorted(formats[1], in_order):
            formats = formats[:1]
    return DateFormats(formats=tuple(formats))


def _fits(date_format: str, texts: Collection[str]) -> bool:
    column = Datetime(format=date_format)
    try:
        return all(read_text(column, text) is not None for text in texts)
    except InvalidCellError:
        return False


def _first_of_each_reading(formats: Iterator[str]) -> Iterator[str]:
    """Yield the ISO format alone, or one format for each order of day and month."""
    seen = set()
    for each in formats:
        order = tuple(letter for letter in each.lower() if letter in "dm")[:2]
        if each == ISO_8601:
            yield each
            return
        if order not in seen:
            seen.add(order)
            yield each


def _is_sorted(date_format: str, texts: Sequence[str]) -> bool:
    column = Datetime(format=date_format)
    moments = [read_text(column, text) for text in texts]
    return moments == sorted(moments) or moments == sorted(moments, reverse=True)
