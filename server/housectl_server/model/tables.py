"""Tables of rows from named columns, as the batch protocols send them."""

from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np
from pydantic_core import from_json

from housectl.contract.schema import Schema
from housectl_server.model.columns import Columns, Floats, InvalidColumnError, ReadColumn
from housectl_server.model.row_errors import (
    MAX_ROWS,
    MAX_VIOLATIONS,
    RowErrors,
    UnreadableRowError,
    Violation,
    count_separators,
    too_many_rows_error,
)
from housectl_server.model.row_model import ignored_fields


class TableReader:
    """Reads columns as tables of one schema.

    Args:
        schema: Schema of the rows.
        errors: Describes invalid values.

    Attributes:
        features: Names of the features in the model's order.
    """

    def __init__(self, schema: Schema, errors: RowErrors) -> None:
        self.features = schema.feature_names
        self._types = schema.types
        self._errors = errors
        self._accepted = frozenset((*schema.feature_names, *ignored_fields(schema)))
        # In nested data, a value has a comma and a bracket.
        self._max_separators = 2 * MAX_ROWS * (len(self._accepted) + 1)

    def check_size(self, body: bytes) -> None:
        """Check a body, before it is parsed.

        Raises:
            InvalidRowError: The body has too many values.
        """
        if count_separators(body) > self._max_separators:
            raise too_many_rows_error()

    def parse(self, body: bytes) -> object:
        """Return the value of a JSON text, which may contain NaN.

        Raises:
            UnreadableRowError: The body is not JSON.
            InvalidRowError: The body has too many values.
        """
        self.check_size(body)
        try:
            value: object = from_json(body)
        except ValueError as error:
            raise UnreadableRowError(f"The body is not JSON: {error}.") from error
        return value

    def read(self, columns: Columns) -> Floats:
        """Return the doubles of rows, `(n, features)`, in the model's order.

        Excluded columns and the target are ignored. A column without missing values in the training
        data must be there.

        Raises:
            InvalidRowError: There are too many rows, a column is missing or unknown, or does not
                accept one of its values.
        """
        if columns.count > MAX_ROWS:
            raise too_many_rows_error()
        table = np.full((columns.count, len(self.features)), np.nan)
        by_name = columns.by_name
        if violations := [*self._read_features(by_name, table), *self._unknown(by_name)]:
            raise self._errors.invalid_rows(violations)
        return table

    def _read_features(
        self, columns: Mapping[str, ReadColumn], table: Floats
    ) -> Iterator[Violation]:
        """Fill the table; yield the first violation of each column."""
        for number, (name, column) in enumerate(zip(self.features, self._types, strict=True)):
            if name in columns:
                try:
                    table[:, number] = columns[name](column)
                except InvalidColumnError as error:
                    yield self._errors.violation(name, str(error), row=error.row)
            elif not column.nullable:
                yield self._errors.violation(name, "is missing")

    def _unknown(self, columns: Mapping[str, ReadColumn]) -> Iterator[Violation]:
        unknown = (name for name in columns if name not in self._accepted)
        for name in islice(unknown, MAX_VIOLATIONS):
            yield self._errors.violation(name, "is unknown")
