"""Sealed models: the champion and its challengers, ready to predict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import TYPE_CHECKING

from housectl.contract.bundle import Bundle
from housectl.contract.cells import InvalidCellError, read_cell, seconds_since_1970
from housectl.contract.column_types import ColumnType, Datetime
from housectl.contract.families import Family
from housectl.contract.parameters import Assignment
from housectl.contract.schema import Schema
from housectl.errors import DataError

if TYPE_CHECKING:
    from housectl.contract.scorer import Scorer


@dataclass(frozen=True)
class SealedModel:
    """A model of the champion store. Its files match its digest.

    >>> model = project.champion()
    >>> model.family.value, model.schema.target.name
    ('random-forest', 'MEDV')
    """

    bundle: Bundle

    @property
    def digest(self) -> str:
        """The bundle's sha256 digest: the model's identity on every machine."""
        return self.bundle.digest

    @property
    def version(self) -> str:
        """The first digits of the digest."""
        return self.bundle.version

    @property
    def schema(self) -> Schema:
        """The features with their ranges, the target and the excluded columns."""
        return self.bundle.record.schema

    @property
    def family(self) -> Family:
        """The model family."""
        return self.bundle.record.recipe.family

    @property
    def assignment(self) -> Assignment:
        """The hyperparameters."""
        return self.bundle.record.recipe.assignment

    @property
    def trial(self) -> str | None:
        """The trial that found the hyperparameters, if the model comes from an experiment."""
        return self.bundle.record.provenance.trial

    @property
    def mse(self) -> float:
        """Mean squared error in cross-validation: the number that the search minimised."""
        return self.bundle.metrics.mse

    @property
    def holdout_mse(self) -> float:
        """Mean squared error on the held-out rows."""
        return self.bundle.holdout_mse

    def predict(self, rows: Iterable[Mapping[str, object]]) -> list[float]:
        """Return one prediction per row, in the target's unit.

        Args:
            rows: Mappings from the name of each feature to its value: a number, a text, a boolean,
                a date as text or as a `datetime`. None, NaN, `pandas.NA`, `pandas.NaT` and a
                missing key are missing values, which only nullable features accept. The target
                and excluded columns are ignored, as by the server. Pass a DataFrame as
                `frame.to_dict("records")`.

        Raises:
            DataError: A row lacks a feature, has an unknown one, or has an invalid value.
            BundleError: The model's graph does not reproduce its golden rows.

        >>> row = {"CRIM": 0.006, "ZN": 18, "INDUS": 2.31, "CHAS": 0, "NOX": 0.538, "RM": 6.575,
        ...        "AGE": 65.2, "DIS": 4.09, "RAD": 1, "TAX": 296, "PTRATIO": 15.3, "LSTAT": 4.98}
        >>> [price] = project.champion().predict([row])
        >>> 20 < price < 30
        True
        """
        values = [_read_row(number, row, self.schema) for number, row in enumerate(rows)]
        return self._scorer.predict(values) if values else []

    @cached_property
    def _scorer(self) -> "Scorer":
        from housectl.contract.scorer import open_bundle

        return open_bundle(self.bundle)


def _read_row(number: int, row: Mapping[str, object], schema: Schema) -> list[float]:
    """Return the doubles of a row in the model's order.

    Raises:
        DataError: The row is invalid; the message names each invalid value.
    """
    known = {*schema.feature_names, *schema.excluded_names, schema.target.name}
    problems = {name: "is unknown" for name in row if name not in known}
    values = []
    for feature in schema.features:
        try:
            values.append(_read_value(feature.type, row.get(feature.name)))
        except InvalidCellError as error:
            problems[feature.name] = str(error)
    if problems:
        listed = "; ".join(f"{name} {problem}" for name, problem in problems.items())
        raise DataError(
            f"Row {number} is invalid: {listed}.",
            hint=f"Pass one value for each of {', '.join(schema.feature_names)}, of the types in "
            "model.schema.features.",
        )
    return values


def _read_value(column: ColumnType, value: object) -> float:
    """Return the double of a value in Python, as `read_cell` does for one in JSON."""
    import numpy as np

    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    elif isinstance(value, np.generic):
        value = value.item()
    if _is_missing(value):
        return read_cell(column, None)
    if isinstance(column, Datetime) and isinstance(value, date):
        return _seconds(value)
    return read_cell(column, value)


def _is_missing(value: object) -> bool:
    """Return True for None, NaN, NaT and pandas.NA, without an import of pandas."""
    # NaN and NaT differ from themselves, and each comparison with pandas.NA is pandas.NA.
    different = value != value  # noqa: PLR0124
    is_pandas_na = different is value and not isinstance(value, bool)
    return value is None or different is True or is_pandas_na


def _seconds(moment: date) -> float:
    """Return the seconds since 1970; a moment without an offset is in UTC."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return seconds_since_1970(moment)
