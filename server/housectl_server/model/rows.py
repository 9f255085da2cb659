"""Rows in request bodies: parsing and validation against the schema of a bundle.

The cost of a refusal is bounded. Large bodies are searched for too many values before they are
parsed, and the violations of a row are described only if there are few.
"""

import math
from collections.abc import Sequence
from operator import itemgetter
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, FailFast, Field, TypeAdapter, ValidationError

from housectl.contract.cells import Cell
from housectl.contract.column_types import Category, Datetime
from housectl.contract.schema import Schema
from housectl_server.model.row_errors import (
    MAX_ROWS,
    RowErrors,
    count_separators,
    reject_repeated_keys,
    too_many_rows_error,
)
from housectl_server.model.row_model import feature_attribute, ignored_fields, row_model

# A row has one value per field, but an excluded column can contain text or lists.
_MAX_EXCLUDED_VALUES = 10_000
_SMALL_BODY_BYTES = 16 * 1024


class RowParser:
    """Parses request bodies as rows.

    Args:
        schema: Schema of the rows.
        example: Row that the documentation shows, in the model's order.
    """

    def __init__(self, schema: Schema, *, example: Sequence[Cell]) -> None:
        self.model = row_model(schema, example=example)
        self.errors = RowErrors(schema, example=example)
        self._validate = self.model.__pydantic_validator__.validate_json
        array = Annotated[list[self.model], Field(max_length=MAX_ROWS), FailFast()]  # type: ignore[name-defined]
        self._validate_array = TypeAdapter(array).validator.validate_json
        self._attributes = tuple(map(feature_attribute, range(len(schema.features))))
        self._values_of = itemgetter(*self._attributes)
        self._texts = [
            number
            for number, feature in enumerate(schema.features)
            if isinstance(feature.type, Category | Datetime)
        ]
        fields = self.errors.max_violations + len(ignored_fields(schema))
        self._max_values = fields + _MAX_EXCLUDED_VALUES
        self._max_array_values = MAX_ROWS * (len(self.model.model_fields) + 1) + self._max_values

    def parse(self, body: bytes) -> list[float]:
        """Return the doubles of a row in the model's order; NaN for a missing value.

        Raises:
            UnreadableRowError: The body is not JSON, or one of its objects has a key twice.
            InvalidRowError: The body is not an object, or has too many values, or a field is
                missing, unknown, or has a value that its feature does not accept.
        """
        if len(body) > _SMALL_BODY_BYTES and count_separators(body) > self._max_values:
            raise self.errors.too_many_values()
        try:
            row = self._validate(body)
        except ValidationError as error:
            raise self.errors.describe(body, error) from error
        values: list[float] = list(map(row.__dict__.__getitem__, self._attributes))
        # Each key and each text has at least two quotes. If there are no more, no key is repeated.
        quotes = body.count(b'"') - 2 * len(row.__pydantic_fields_set__)
        if quotes and quotes != 2 * self._count_texts(values):
            reject_repeated_keys(body)
        return values

    def parse_array(self, body: bytes) -> NDArray[np.float64]:
        """Return the doubles of an array of rows, `(n, features)`, as `parse` does for each.

        The error of invalid rows describes the first of them.

        Raises:
            UnreadableRowError: The body is not JSON, or one of its objects has a key twice.
            InvalidRowError: The body is not an array of objects, or has too many of them or of
                values, or a row is invalid.
        """
        if count_separators(body) > self._max_array_values:
            raise too_many_rows_error()
        try:
            rows: Sequence[BaseModel] = self._validate_array(body)
        except ValidationError as error:
            raise self.errors.describe(body, error) from error
        values = [self._values_of(row.__dict__) for row in rows]
        table = np.array(values, dtype=np.float64).reshape(len(rows), len(self._attributes))
        keys = sum(len(row.__pydantic_fields_set__) for row in rows)
        texts = np.count_nonzero(~np.isnan(table[:, self._texts]))
        if body.count(b'"') != 2 * (keys + texts):
            reject_repeated_keys(body)
        return table

    def _count_texts(self, values: Sequence[float]) -> int:
        """Return the number of a row's values that the body contains as texts."""
        return sum(not math.isnan(values[number]) for number in self._texts)
