"""Errors of rows in request bodies, described with their fields and the expected values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from housectl.contract.cells import Cell
from housectl.contract.column_types import MAX_TEXT_LENGTH
from housectl.contract.schema import Schema
from housectl_server.model.feature_texts import describe_expected

MAX_NAME_LENGTH = 100
MAX_ROWS = 10_000
MAX_VIOLATIONS = 50
MAX_UNKNOWN_FIELDS = 64

_SEPARATORS = (b",", b"[", b"{")
_ONLY_FEATURES = "only feature names, see /docs"
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
    """One invalid field of a row, with the expected value.

    Attributes:
        row: Index of the row among several, counted from 0; None for a single row, and for a field
            that is invalid in all rows.
    """

    field: str
    problem: str
    expected: str
    row: int | None = None

    def __str__(self) -> str:
        place = "" if self.row is None else f"row {self.row}: "
        return f"{place}{self.field} {self.problem}"


class UnreadableRowError(ValueError):
    """The body is not JSON, or one of its objects has a key twice."""


class InvalidRowError(ValueError):
    """The body is JSON, but not a valid row; without violations, it has another form."""

    def __init__(self, message: str, *, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.violations = tuple(violations)


class RowErrors:
    """Describes the errors of rows of one schema.

    Args:
        schema: Schema of the rows.
        example: Row that the descriptions show, in the model's order.
    """

    def __init__(self, schema: Schema, *, example: Sequence[Cell]) -> None:
        self._expected = {feature.name: describe_expected(feature) for feature in schema.features}
        row = dict(zip(schema.feature_names, example, strict=True))
        self._one_object = (
            "a JSON object with one row, or an array of such objects, is expected, such as "
            f"{json.dumps(row)}"
        )
        self.max_violations = len(schema.features) + MAX_UNKNOWN_FIELDS

    def violation(self, field: str, problem: str, *, row: int | None = None) -> Violation:
        """Return the violation of a field."""
        expected = self._expected.get(field, _ONLY_FEATURES)
        return Violation(field[:MAX_NAME_LENGTH], problem, expected, row=row)

    def too_many_values(self) -> InvalidRowError:
        """Return the error of a body that is too costly to parse."""
        return InvalidRowError(f"The body has too many values: {self._one_object}.")

    def invalid_rows(self, violations: Sequence[Violation]) -> InvalidRowError:
        """Return the error of rows with these violations."""
        shown = violations[:MAX_VIOLATIONS]
        causes = "; ".join(map(str, shown))
        noun = "row is" if all(each.row is None for each in violations) else "rows are"
        return InvalidRowError(f"The {noun} invalid: {causes}.", violations=shown)

    def describe(self, body: bytes, error: ValidationError) -> UnreadableRowError | InvalidRowError:
        """Return the error of a body that pydantic has refused, as a row or an array of rows."""
        if error.error_count() > self.max_violations:
            return InvalidRowError(
                f"The row has more than {MAX_UNKNOWN_FIELDS} unknown fields: {self._one_object}."
            )
        details = error.errors(include_url=False)
        first = details[0]
        if first["type"] == "json_invalid":
            return UnreadableRowError(f"The body is not JSON: {first['ctx']['error']}.")
        if first["type"] == "too_long":
            return too_many_rows_error()
        is_single = not isinstance(next(iter(first["loc"]), None), int)
        if is_single:
            # The rows of an array can be many, so their keys are not compared.
            reject_repeated_keys(body)
        if len(first["loc"]) <= (not is_single):
            what = "The body" if is_single else f"Row {first['loc'][0]}"
            return InvalidRowError(f"{what} is not a JSON object: {self._one_object}.")
        return self._violations_error(details)

    def _violations_error(self, details: Sequence[ErrorDetails]) -> InvalidRowError:
        violations = [self._violation(each) for each in details]
        for each in violations:
            if each.field in _BATCH_FIELDS and each.problem == _PROBLEMS["extra_forbidden"]:
                message = (
                    f"The field {each.field} is unknown: {self._one_object}. Other forms are "
                    "accepted at /invocations and /v2."
                )
                return InvalidRowError(message, violations=violations[:MAX_VIOLATIONS])
        return self.invalid_rows(violations)

    def _violation(self, details: ErrorDetails) -> Violation:
        *rows, field = details["loc"]
        row = int(rows[0]) if rows else None
        return self.violation(str(field), _problem(details), row=row)


def too_many_rows_error() -> InvalidRowError:
    """Return the error of a body with too many rows."""
    return InvalidRowError(f"The body has too many values: at most {MAX_ROWS} rows are accepted.")


def count_separators(body: bytes) -> int:
    """Return an upper bound of the number of values in a body."""
    return sum(map(body.count, _SEPARATORS))


def reject_repeated_keys(body: bytes) -> None:
    """Raise an error if an object has a key twice; pydantic would take the last value.

    Raises:
        UnreadableRowError: An object has a key twice.
    """
    # Numbers are not converted, because the time for one grows with the square of its digits.
    json.loads(body, object_pairs_hook=_check_keys, parse_int=len, parse_float=len)


def _problem(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    is_null = details["input"] is None and kind != "extra_forbidden"
    return "is null" if is_null else _PROBLEMS[kind]


def _check_keys(members: Sequence[tuple[str, object]]) -> None:
    keys: set[str] = set()
    for key, _ in members:
        if key in keys:
            raise UnreadableRowError(f"The key {key[:MAX_NAME_LENGTH]} occurs twice in an object.")
        keys.add(key)
