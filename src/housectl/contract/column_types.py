"""Types of the feature columns: number, boolean, category, and date or time."""

from enum import StrEnum
from typing import Annotated

import msgspec

from housectl.contract.record import Record

MAX_LEVELS = 50
MAX_TEXT_LENGTH = 200
"""Largest length of a level, and of a date."""

ISO_8601 = "iso8601"


class UnknownLevels(StrEnum):
    """Treatment of a category's text that is not one of its levels."""

    MISSING = "missing"
    REFUSE = "refuse"
    GROUP = "group"

    @property
    def description(self) -> str:
        """The treatment in words, for readers of documentation."""
        return _TREATMENTS[self]


_TREATMENTS = {
    UnknownLevels.MISSING: "other texts count as missing",
    UnknownLevels.REFUSE: "other texts are refused",
    UnknownLevels.GROUP: "other texts form one group",
}


class Number(Record, kw_only=True, tag_field="type", tag="number"):
    """A number within float32.

    Attributes:
        nullable: True if values may be missing.
    """

    nullable: bool = False


class Boolean(Record, kw_only=True, tag_field="type", tag="boolean"):
    """True or false.

    Attributes:
        nullable: True if values may be missing.
    """

    nullable: bool = False


class Category(Record, kw_only=True, tag_field="type", tag="category"):
    """One of a few texts.

    Attributes:
        levels: The texts, in the order of their codes, which count from 0.
        unknown_levels: Treatment of other texts. A group has the code after the last level.
        nullable: True if values may be missing.
    """

    levels: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT_LENGTH)], ...],
        msgspec.Meta(min_length=1, max_length=MAX_LEVELS),
    ]
    unknown_levels: UnknownLevels = UnknownLevels.MISSING
    nullable: bool = False

    def __post_init__(self) -> None:
        """Check that no level occurs twice."""
        if len(set(self.levels)) < len(self.levels):
            raise ValueError("a level occurs twice")

    @property
    def has_group(self) -> bool:
        """True if all texts that are no levels form one group."""
        return self.unknown_levels is UnknownLevels.GROUP

    @property
    def codes(self) -> int:
        """Number of codes, with that of the group."""
        return len(self.levels) + self.has_group


class Datetime(Record, kw_only=True, tag_field="type", tag="datetime"):
    """A date, or a date with a time; without an offset it is in UTC.

    Attributes:
        format: `iso8601`, or a format of `datetime.strptime`.
        nullable: True if values may be missing.
    """

    format: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT_LENGTH)] = ISO_8601
    nullable: bool = False


ColumnType = Number | Boolean | Category | Datetime
