"""Rows in request bodies: parsing and validation against the schema of a bundle.

The cost of a refusal is bounded. Large bodies are searched for too many values before they are
parsed, and the violations of a row are described only if there are few.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from housectl.contract.cells import Cell
from housectl.contract.schema import Schema
from housectl_server.row_model import (
    describe_expected,
    feature_attribute,
    ignored_fields,
    row_model,
)

MAX_NAME_LENGTH = 100
MAX_VIOLATIONS = 50

_MAX_UNKNOWN_FIELDS = 64
# A row has one value per field, but an excluded column can contain text or lists.
_MAX_EXCLUDED_VALUES = 10_000
_SMALL_BODY_BYTES = 16 * 1024
_SEPARATORS = (b",", b"[", b"{")
# Fields of requests that other model servers expect.
_BATCH_FIELDS = frozenset({"instances", "inputs", "dataframe_split", "dataframe_records"})
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
    """The body is not JSON, or one of its objects has a key twice."""


class InvalidRowError(ValueError):
    """The body is JSON, but not a valid row; without violations, it has another form."""

    def __init__(self, message: str, *, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.violations = tuple(violations)


class RowParser:
    """Parses request bodies as rows.

    Args:
        schema: Schema of the rows.
        example: Row that the documentation shows, in the model's order.
    """

    def __init__(self, schema: Schema, *, example: Sequence[Cell]) -> None:
        self.model = row_model(schema, example=example)
        self._validate = self.model.__pydantic_validator__.validate_json
        self._attributes = tuple(map(feature_attribute, range(len(schema.features))))
        self._expected = {feature.name: describe_expected(feature) for feature in schema.features}
        row = dict(zip(schema.feature_names, example, strict=True))
        self._one_object = (
            f"one JSON object with one row is expected per request, such as {json.dumps(row)}"
        )
        self._max_violations = len(schema.features) + _MAX_UNKNOWN_FIELDS
        self._max_values = self._max_violations + len(ignored_fields(schema)) + _MAX_EXCLUDED_VALUES

    def parse(self, body: bytes) -> list[float]:
        """Return the values of a row in the model's order.

        Raises:
            UnreadableRowError: The body is not JSON, or one of its objects has a key twice.
            InvalidRowError: The body is not an object, or has too many values, or a field is
                missing, unknown, or not a finite number within float32.
        """
        if len(body) > _SMALL_BODY_BYTES and _count_separators(body) > self._max_values:
            raise InvalidRowError(f"The body has too many values: {self._one_object}.")
        try:
            row = self._validate(body)
        except ValidationError as error:
            raise self._row_error(body, error) from error
        # Each key has at least two quotes, so equal numbers prove that no key is repeated.
        if body.count(b'"') != 2 * len(row.__pydantic_fields_set__):
            _reject_repeated_keys(body)
        return list(map(row.__dict__.__getitem__, self._attributes))

    def _row_error(
        self, body: bytes, error: ValidationError
    ) -> UnreadableRowError | InvalidRowError:
        if error.error_count() > self._max_violations:
            return InvalidRowError(
                f"The row has more than {_MAX_UNKNOWN_FIELDS} unknown fields: {self._one_object}."
            )
        details = error.errors(include_url=False)
        first = details[0]
        if first["type"] == "json_invalid":
            return UnreadableRowError(f"The body is not JSON: {first['ctx']['error']}.")
        _reject_repeated_keys(body)
        if not first["loc"]:
            return InvalidRowError(f"The body is not a JSON object: {self._one_object}.")
        return self._violations_error(details)

    def _violations_error(self, details: Sequence[ErrorDetails]) -> InvalidRowError:
        violations = [self._violation(each) for each in details]
        shown = violations[:MAX_VIOLATIONS]
        for each in violations:
            if each.field in _BATCH_FIELDS and each.problem == _PROBLEMS["extra_forbidden"]:
                message = f"The field {each.field} is unknown: {self._one_object}."
                return InvalidRowError(message, violations=shown)
        causes = "; ".join(f"{each.field} {each.problem}" for each in shown)
        return InvalidRowError(f"The row is invalid: {causes}.", violations=shown)

    def _violation(self, details: ErrorDetails) -> Violation:
        field = str(details["loc"][0])
        is_null = details["type"] == "float_type" and details["input"] is None
        return Violation(
            field=field[:MAX_NAME_LENGTH],
            problem="is null" if is_null else _PROBLEMS[details["type"]],
            expected=self._expected.get(field, "only feature names, see /docs"),
        )


def _count_separators(body: bytes) -> int:
    """Return an upper bound of the number of values in a body."""
    return sum(map(body.count, _SEPARATORS))


def _reject_repeated_keys(body: bytes) -> None:
    """Raise an error if an object has a key twice; pydantic would take the last value."""
    # Numbers are not converted, because the time for one grows with the square of its digits.
    json.loads(body, object_pairs_hook=_check_keys, parse_int=len, parse_float=len)


def _check_keys(members: Sequence[tuple[str, object]]) -> None:
    keys: set[str] = set()
    for key, _ in members:
        if key in keys:
            raise UnreadableRowError(f"The key {key[:MAX_NAME_LENGTH]} occurs twice in an object.")
        keys.add(key)
