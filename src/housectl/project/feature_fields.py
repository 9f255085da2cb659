"""The features in housectl.yaml: the fields of each type of column."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StrictBool,
    Tag,
    model_validator,
)

from housectl.contract.cells import InvalidCellError, read_text
from housectl.contract.column_types import (
    ISO_8601,
    MAX_LEVELS,
    MAX_TEXT_LENGTH,
    Boolean,
    Category,
    ColumnType,
    Datetime,
    Number,
    UnknownLevels,
)
from housectl.contract.schema import Feature, column_record
from housectl.project.fields import ConfigModel, CrossFieldError, raise_cross_field_errors
from housectl.project.problems import ALTERNATIVE
from housectl.project.value_types import NonEmptyStr
from housectl.project.value_types import Number as NumberField

_TYPES = ("number", "boolean", "category", "datetime")


def _check_level(text: str) -> str:
    if text != text.strip():
        raise ValueError("a text without spaces at its ends, as data files are read")
    return text


def _check_levels(levels: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(levels) <= MAX_LEVELS:
        raise ValueError(f"1 to {MAX_LEVELS} levels")
    return levels


def _check_format(text: str) -> str:
    if text == ISO_8601:
        return text
    day = datetime(2020, 2, 1, tzinfo=UTC)
    try:
        datetime.strptime(day.strftime(text), text)  # noqa: DTZ007
    except (ValueError, re.error) as error:
        # Python reports a repeated part such as %d as an error of its regular expression.
        raise ValueError(f"{ISO_8601} or a format such as %d.%m.%Y") from error
    return text


Level = Annotated[NonEmptyStr, Field(max_length=MAX_TEXT_LENGTH), AfterValidator(_check_level)]


class ColumnFields(ConfigModel):
    """The fields of all types of features."""

    nullable: StrictBool = False
    """Accept missing values, in the data and in requests."""
    unit: str = ""
    """Unit of the values."""
    description: str = ""
    """Description in one line."""

    @property
    def column(self) -> ColumnType:
        """Type of the column."""
        raise NotImplementedError

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest value of the data, as doubles."""
        raise NotImplementedError

    def feature(self, name: str) -> Feature:
        """Return the feature, as bundles store it."""
        minimum, maximum = self.range
        return Feature(
            name=name,
            minimum=minimum,
            maximum=maximum,
            unit=self.unit,
            description=self.description,
            column=column_record(self.column),
        )


class NumberFields(ColumnFields):
    """A number."""

    type: Literal["number"] = "number"
    """Type of the column: number, boolean, category or datetime."""
    min: NumberField
    """Smallest value in the data."""
    max: NumberField
    """Largest value in the data. The server accepts and counts values outside the range."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError("min not greater than max")
        return self

    @property
    def column(self) -> Number:
        """Type of the column."""
        return Number(nullable=self.nullable)

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest value of the data."""
        return self.min, self.max


class BooleanFields(ColumnFields):
    """True or false; a data file may have yes and no, t and f, y and n, or 1 and 0."""

    type: Literal["boolean"]
    """Type of the column."""

    @property
    def column(self) -> Boolean:
        """Type of the column."""
        return Boolean(nullable=self.nullable)

    @property
    def range(self) -> tuple[float, float]:
        """The doubles of false and true."""
        return 0.0, 1.0


class CategoryFields(ColumnFields):
    """One of a few texts."""

    type: Literal["category"]
    """Type of the column."""
    levels: Annotated[
        tuple[Level, ...],
        AfterValidator(_check_levels),
        Field(json_schema_extra={"minItems": 1, "maxItems": MAX_LEVELS}),
    ]
    """The texts; a model knows these."""
    unknown_levels: Annotated[UnknownLevels, Field(strict=False)] = UnknownLevels.MISSING
    """Treatment of other texts: as missing values, refused, or as one group."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        raise_cross_field_errors(
            CrossFieldError(("levels", index), repr(level), "each level once")
            for index, level in enumerate(self.levels)
            if level in self.levels[:index]
        )
        return self

    @property
    def column(self) -> Category:
        """Type of the column."""
        return Category(
            levels=self.levels, unknown_levels=self.unknown_levels, nullable=self.nullable
        )

    @property
    def range(self) -> tuple[float, float]:
        """The first and the last code."""
        return 0.0, float(self.column.codes - 1)


class DatetimeFields(ColumnFields):
    """A date, or a date with a time."""

    type: Literal["datetime"]
    """Type of the column."""
    format: Annotated[
        NonEmptyStr, Field(max_length=MAX_TEXT_LENGTH), AfterValidator(_check_format)
    ] = ISO_8601
    """iso8601, or a format such as %d.%m.%Y, as Python's strptime reads it."""
    min: NonEmptyStr
    """Earliest date in the data, in this format."""
    max: NonEmptyStr
    """Latest date in the data. The server accepts and counts dates outside the range."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        raise_cross_field_errors(self._invalid_dates())
        low, high = self.range
        if low > high:
            raise ValueError("min not later than max")
        return self

    @property
    def column(self) -> Datetime:
        """Type of the column."""
        return Datetime(format=self.format, nullable=self.nullable)

    @property
    def range(self) -> tuple[float, float]:
        """The seconds of the earliest and the latest date since 1970."""
        return read_text(self.column, self.min), read_text(self.column, self.max)

    def _invalid_dates(self) -> Iterator[CrossFieldError]:
        for name, text in (("min", self.min), ("max", self.max)):
            try:
                read_text(self.column, text)
            except InvalidCellError:
                yield CrossFieldError((name,), repr(text), f"a date of the format {self.format}")


def _check_type(value: object) -> object:
    named = value.get("type", "number") if isinstance(value, dict) else "number"
    if named not in _TYPES:
        expected = "'number', 'boolean', 'category' or 'datetime'"
        raise_cross_field_errors([CrossFieldError(("type",), repr(named), expected)])
    return value


def _tag(value: object) -> str:
    named = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return f"{ALTERNATIVE}{named or 'number'}"


FeatureFields = Annotated[
    Annotated[NumberFields, Tag(f"{ALTERNATIVE}number")]
    | Annotated[BooleanFields, Tag(f"{ALTERNATIVE}boolean")]
    | Annotated[CategoryFields, Tag(f"{ALTERNATIVE}category")]
    | Annotated[DatetimeFields, Tag(f"{ALTERNATIVE}datetime")],
    Discriminator(_tag),
    BeforeValidator(_check_type),
]
