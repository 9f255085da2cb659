"""The pydantic model of a row, made from the schema of a bundle."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from housectl.contract.cells import Cell
from housectl.contract.schema import FLOAT32_MAXIMUM, Feature, Schema


def row_model(schema: Schema, *, example: Sequence[Cell]) -> type[BaseModel]:
    """Return the pydantic model of a row; feature names can be any text, so they are aliases.

    Args:
        schema: Schema of the rows.
        example: One value per feature, for the documentation.
    """
    features = {
        feature_attribute(number): _required_field(feature, value)
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


def describe_expected(feature: Feature) -> str:
    """Return the description of valid values of a feature, with their range in training."""
    unit = f" {feature.unit}" if feature.unit else ""
    return f"a finite number; in training {feature.minimum:g} to {feature.maximum:g}{unit}"


def _required_field(feature: Feature, example: Cell) -> object:
    prefix = f"{feature.description.rstrip('.')}: " if feature.description else ""
    return Annotated[
        float,
        Field(
            alias=feature.name,
            title=feature.name,
            description=prefix + describe_expected(feature),
            examples=[example],
            strict=True,
            allow_inf_nan=False,
            ge=-FLOAT32_MAXIMUM,
            le=FLOAT32_MAXIMUM,
        ),
    ]


def _optional_ignored_field(name: str, reason: str) -> object:
    field = Field(
        alias=name, title=name, description=f"Accepted and ignored: {reason}", default=None
    )
    return Annotated[object, field]
