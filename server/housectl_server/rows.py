"""Rows in request bodies: parsing and validation against the schema of a bundle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import ErrorDetails

from housectl.contract.schema import FLOAT32_MAXIMUM, Exclusion, Feature, Schema

MAX_NAME_LENGTH = 100
MAX_VIOLATIONS = 50
_PROBLEMS = {
    "missing": "is missing",
    "extra_forbidden": "is unknown",
    "float_type": "is not a number",
    "finite_number": "is not finite",
    "less_than_equal": "is too large for float32",
    "greater_than_equal": "is too small for float32",
}


@dataclass(frozen=True)
class Violation:
    """One invalid field of a row, with the expected value."""

    field: str
    problem: str
    expected: str


class UnreadableRowError(ValueError):
    """The body is not JSON."""


class InvalidRowError(ValueError):
    """The body is JSON, but not a valid row; without violations, it is not an object."""

    def __init__(self, message: str, *, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.violations = tuple(violations)


class RowParser:
    """Parses request bodies as rows.

    Args:
        schema: Schema of the rows.
        example: Row that the documentation shows, in the model's order.
    """

    def __init__(self, schema: Schema, *, example: Sequence[float]) -> None:
        self.model = row_model(schema, example=example)
        self._validate = self.model.__pydantic_validator__.validate_json
        self._attributes = tuple(map(_attribute, range(len(schema.features))))
        self._expected = {feature.name: describe_expected(feature) for feature in schema.features}

    def parse(self, body: bytes) -> list[float]:
        """Return the values of a row in the model's order.

        Raises:
            UnreadableRowError: The body is not JSON.
            InvalidRowError: The body is not an object, or a field is missing, unknown, or not a
                finite number within float32.
        """
        try:
            values = self._validate(body).__dict__
        except ValidationError as error:
            raise self._row_error(error) from error
        return [values[attribute] for attribute in self._attributes]

    def _row_error(self, error: ValidationError) -> UnreadableRowError | InvalidRowError:
        details = error.errors(include_url=False)
        first = details[0]
        if first["type"] == "json_invalid":
            return UnreadableRowError(f"The body is not JSON: {first['ctx']['error']}.")
        if not first["loc"]:
            return InvalidRowError("The body is not a JSON object of feature names and numbers.")
        violations = [self._violation(each) for each in details[:MAX_VIOLATIONS]]
        causes = "; ".join(f"{each.field} {each.problem}" for each in violations)
        return InvalidRowError(f"The row is invalid: {causes}.", violations=violations)

    def _violation(self, details: ErrorDetails) -> Violation:
        field = str(details["loc"][0])
        is_null = details["type"] == "float_type" and details["input"] is None
        return Violation(
            field=field[:MAX_NAME_LENGTH],
            problem="is null" if is_null else _PROBLEMS[details["type"]],
            expected=self._expected.get(field, "only feature names, see /docs"),
        )


def row_model(schema: Schema, *, example: Sequence[float]) -> type[BaseModel]:
    """Return the pydantic model of a row; feature names can be any text, so they are aliases.

    Args:
        schema: Schema of the rows.
        example: One value per feature, for the documentation.
    """
    features = {
        _attribute(number): _required_field(feature, value)
        for number, (feature, value) in enumerate(zip(schema.features, example, strict=True))
    }
    exclusions = {
        f"excluded_{number}": _optional_ignored_field(exclusion)
        for number, exclusion in enumerate(schema.exclusions)
    }
    fields: dict[str, Any] = features | exclusions
    return create_model("Row", __config__=ConfigDict(extra="forbid"), **fields)


def describe_expected(feature: Feature) -> str:
    """Return the description of valid values of a feature, with their range in training."""
    unit = f" {feature.unit}" if feature.unit else ""
    return f"a finite number; in training {feature.minimum:g} to {feature.maximum:g}{unit}"


def _attribute(number: int) -> str:
    return f"feature_{number}"


def _required_field(feature: Feature, example: float) -> object:
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


def _optional_ignored_field(exclusion: Exclusion) -> object:
    description = f"Accepted and ignored: {exclusion.reason}"
    field = Field(alias=exclusion.name, title=exclusion.name, description=description, default=None)
    return Annotated[object, field]
