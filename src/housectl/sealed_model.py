"""Sealed models: the champion and its challengers, ready to predict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING

from housectl.contract.bundle import Bundle
from housectl.contract.families import Family
from housectl.contract.parameters import Assignment
from housectl.contract.schema import FLOAT32_MAXIMUM, Schema
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

    def predict(self, rows: Iterable[Mapping[str, float]]) -> list[float]:
        """Return one prediction per row, in the target's unit.

        Args:
            rows: Mappings from the name of each feature to its value. Excluded columns are ignored.
                Pass a DataFrame as `frame.to_dict("records")`.

        Raises:
            DataError: A row lacks a feature, has an unknown one, or has an invalid value.
            BundleError: The model's graph does not reproduce its golden rows.

        >>> row = {"CRIM": 0.006, "ZN": 18, "INDUS": 2.31, "CHAS": 0, "NOX": 0.538, "RM": 6.575,
        ...        "AGE": 65.2, "DIS": 4.09, "RAD": 1, "TAX": 296, "PTRATIO": 15.3, "LSTAT": 4.98}
        >>> [price] = project.champion().predict([row])
        >>> 20 < price < 30
        True
        """
        values = [_feature_values(number, row, self.schema) for number, row in enumerate(rows)]
        return self._scorer.predict(values) if values else []

    @cached_property
    def _scorer(self) -> "Scorer":
        from housectl.contract.scorer import open_bundle

        return open_bundle(self.bundle)


def _feature_values(number: int, row: Mapping[str, float], schema: Schema) -> list[float]:
    """Return a row's values in the model's order."""
    missing = [name for name in schema.feature_names if name not in row]
    unknown = [name for name in row if name not in {*schema.feature_names, *schema.excluded_names}]
    invalid = [name for name in schema.feature_names if name in row and not _is_valid(row[name])]
    problems = {"missing": missing, "unknown": unknown, "not finite float32 numbers": invalid}
    if any(problems.values()):
        listed = "; ".join(
            f"{', '.join(names)}: {problem}" for problem, names in problems.items() if names
        )
        raise DataError(
            f"Row {number} is invalid: {listed}.",
            hint=f"Pass one number for each of {', '.join(schema.feature_names)}.",
        )
    return [float(row[name]) for name in schema.feature_names]


def _is_valid(value: object) -> bool:
    # A comparison, unlike float(), accepts integers of any length.
    return (
        isinstance(value, Real)
        and not isinstance(value, bool)
        and value <= FLOAT32_MAXIMUM
        and not value < -FLOAT32_MAXIMUM
    )
