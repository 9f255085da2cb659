"""Rows in request bodies: parsing and validation against the schema of a bundle.

The cost of a refusal is bounded. Large bodies are searched for too many values before they are
parsed, and the violations of a row are described only if there are few.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from housectl.contract.cells import Cell
from housectl.contract.column_types import MAX_TEXT_LENGTH, Category, Datetime
from housectl.contract.schema import Schema
from housectl_server.model.feature_texts import describe_expected
from housectl_server.model.row_model import (
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
    "bool_type": "is not true or false",
    "string_type": "is not a text",
    "string_too_long": f"is longer than {MAX_TEXT_LENGTH} characters",
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
        self._texts = tuple(
            number
            for number, feature in enumerate(schema.features)
            if isinstance(feature.type, Category | Datetime)
        )
        self._expected = {feature.name: describe_expected(feature) for feature in schema.features}
        row = dict(zip(schema.feature_names, example, strict=True))
        self._one_object = (
            f"one JSON object with one row is expected per request, such as {json.dumps(row)}"
        )
        self._max_violations = len(schema.features) + _MAX_UNKNOWN_FIELDS
        self._max_values = self._max_violations + len(ignored_fields(schema)) + _MAX_EXCLUDED_VALUES

    def parse(self, body: bytes) -> list[float]:
        """Return the doubles of a row in the model's order; NaN for a missing value.

        Raises:
            UnreadableRowError: The body is not JSON, or one of its objects has a key twice.
            InvalidRowError: The body is not an object, or has too many values, or a field is
                missing, unknown, or has a value that its feature does not accept.
        """
        if len(body) > _SMALL_BODY_BYTES and _count_separators(body) > self._max_values:
            raise InvalidRowError(f"The body has too many values: {self._one_object}.")
        try:
            row = self._validate(body)
        except ValidationError as error:
            raise self._row_error(body, error) from error
        values: list[float] = list(map(row.__dict__.__getitem__, self._attributes))
        # Each key and each text has at least two quotes. If there are no more, no key is repeated.
        quotes = body.count(b'"') - 2 * len(row.__pydantic_fields_set__)
        if quotes and quotes != 2 * self._count_texts(values):
            _reject_repeated_keys(body)
        return values

    def _count_texts(self, values: Sequence[float]) -> int:
        """Return the number of a row's values that the body contains as texts."""
        return sum(not math.isnan(values[number]) for number in self._texts)

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
        return Violation(
            field=field[:MAX_NAME_LENGTH],
            problem=_problem(details),
            expected=self._expected.get(field, "only feature names, see /docs"),
        )


def _problem(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    is_null = details["input"] is None and kind != "extra_forbidden"
    return "is null" if is_null else _PROBLEMS[kind]


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
