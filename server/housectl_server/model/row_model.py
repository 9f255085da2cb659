"""The pydantic model of a row, made from the schema of a bundle."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, create_model
from pydantic.fields import FieldInfo

from housectl.contract.cells import Cell, cell_reader
from housectl.contract.column_types import (
    ISO_8601,
    MAX_TEXT_LENGTH,
    Boolean,
    Category,
    ColumnType,
    Datetime,
    Number,
    UnknownLevels,
)
from housectl.contract.golden import Golden, GoldenRow
from housectl.contract.schema import FLOAT32_MAXIMUM, Feature, Schema
from housectl_server.model.feature_texts import describe_expected

_NUMBER = Annotated[
    float, Field(strict=True, allow_inf_nan=False, ge=-FLOAT32_MAXIMUM, le=FLOAT32_MAXIMUM)
]
_BOOLEAN = Annotated[bool, Field(strict=True)]


def row_model(schema: Schema, *, example: Sequence[Cell]) -> type[BaseModel]:
    """Return the pydantic model of a row; feature names can be any text, so they are aliases.

    The value of each feature is read as a double.

    Args:
        schema: Schema of the rows.
        example: One value per feature, for the documentation.
    """
    features = {
        feature_attribute(number): _feature_field(feature, value)
        for number, (feature, value) in enumerate(zip(schema.features, example, strict=True))
    }
    ignored = {
        f"ignored_{number}": _optional_ignored_field(name, reason)
        for number, (name, reason) in enumerate(ignored_fields(schema).items())
    }
    fields: dict[str, Any] = features | ignored
    return create_model("Row", __config__=ConfigDict(extra="forbid"), **fields)


def feature_attribute(number: int) -> str:
    """Return the attribute of a row that has the value of a feature."""
    return f"feature_{number}"


def ignored_fields(schema: Schema) -> dict[str, str]:
    """Return the fields that are accepted and ignored, each with the reason."""
    excluded = {exclusion.name: exclusion.reason for exclusion in schema.exclusions}
    return {**excluded, schema.target.name: "it is the target"}


def example_row(golden: Golden) -> GoldenRow:
    """Return the golden row that the documentation shows: the first with the fewest gaps."""
    return min(golden.rows, key=lambda row: row.row.count(None))


def _feature_field(feature: Feature, example: Cell) -> object:
    column = feature.type
    values: object = _valid_values(column)
    if column.nullable:
        values = values | None  # type: ignore[operator]
    field = _described_field(feature, example)
    if column == Number():
        return Annotated[values, field]
    return Annotated[values, field, AfterValidator(cell_reader(column))]


def _described_field(feature: Feature, example: Cell) -> FieldInfo:
    """Return the name and the documentation of a feature; a nullable one can be omitted."""
    column = feature.type
    prefix = f"{feature.description.rstrip('.')}: " if feature.description else ""
    default: dict[str, Any] = {"default_factory": lambda: math.nan} if column.nullable else {}
    field: FieldInfo = Field(
        alias=feature.name,
        title=feature.name,
        description=prefix + describe_expected(feature),
        examples=list(column.levels) if isinstance(column, Category) else [example],
        **default,
    )
    return field


def _valid_values(column: ColumnType) -> object:
    match column:
        case Number():
            return _NUMBER
        case Boolean():
            return _BOOLEAN
        case Category(unknown_levels=UnknownLevels.REFUSE, levels=levels):
            return _text(enum=list(levels))
        case Datetime(format=format) if format == ISO_8601:
            return _text(format="date-time")
        case Category() | Datetime():
            return _text()


def _text(**documentation: JsonValue) -> object:
    field = Field(strict=True, max_length=MAX_TEXT_LENGTH, json_schema_extra=documentation)
    return Annotated[str, field]


def _optional_ignored_field(name: str, reason: str) -> object:
    field = Field(
        alias=name, title=name, description=f"Accepted and ignored: {reason}", default=None
    )
    return Annotated[object, field]
