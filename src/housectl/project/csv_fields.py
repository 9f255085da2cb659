"""The field `csv:` of housectl.yaml: the format of the data file."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from housectl.contract.data.csv_format import CsvFormat
from housectl.project.fields import ConfigModel, CrossFieldError, raise_cross_field_errors
from housectl.project.value_types import Integer

_MAX_LINES = 10_000
_MAX_SYMBOLS = 20


def _check_separator(text: str) -> str:
    if text.isalnum() or text in {'"', "\r", "\n", "\0"}:
        raise ValueError("a separator such as ';' or \"\\t\"")
    return text


def _check_thousands(text: str) -> str:
    if text.isalnum() or text in {"+", "-", '"'}:
        raise ValueError("a mark such as '.' or ' ', or an empty text for none")
    return text


def _check_encoding(name: str) -> str:
    try:
        "0".encode(name)
    except (LookupError, ValueError) as error:
        raise ValueError("an encoding such as utf-8, utf-16 or latin-1") from error
    return name


def _check_symbol(text: str) -> str:
    if text.strip() != text or set(text) & set("0123456789.,+-"):
        raise ValueError("a text such as $ or %, without digits, marks and spaces")
    return text


Symbol = Annotated[str, Field(min_length=1, max_length=10), AfterValidator(_check_symbol)]


class CsvFields(ConfigModel):
    """The format of a CSV file."""

    separator: Annotated[
        str, Field(min_length=1, max_length=1), AfterValidator(_check_separator)
    ] = ","
    """Character between two cells."""
    decimal: Annotated[str, Field(pattern=r"^[.,]$")] = "."
    """Mark before the decimals of a number: a point or a comma."""
    thousands: Annotated[str, Field(max_length=1), AfterValidator(_check_thousands)] = ""
    """Mark between groups of three digits; empty for none."""
    encoding: Annotated[str, AfterValidator(_check_encoding)] = "utf-8"
    """Encoding of the text."""
    skip_lines: Annotated[Integer, Field(ge=0, le=_MAX_LINES)] = 0
    """Number of lines before the header, such as titles."""
    footer_lines: Annotated[Integer, Field(ge=0, le=_MAX_LINES)] = 0
    """Number of lines after the last row, such as totals; blank lines count."""
    units_row: StrictBool = False
    """True if the row below the header has the units of the columns."""
    symbols: Annotated[tuple[Symbol, ...], Field(max_length=_MAX_SYMBOLS)] = ()
    """Texts before or after numbers, such as $ or %, that are not part of them."""
    missing: Annotated[tuple[str, ...], Field(max_length=100)] = ("",)
    """Texts of missing values. An empty cell is always missing."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.decimal == self.thousands:
            expected = "another mark than decimal"
            raise_cross_field_errors(
                [CrossFieldError(("thousands",), repr(self.thousands), expected)]
            )
        return self

    @property
    def record(self) -> CsvFormat:
        """The format, as the reader takes it."""
        return CsvFormat(**self.model_dump())
