"""Recipes. A recipe is the complete input of a training: equal recipes give byte-equal models."""

import hashlib
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from housectl.contract.column_types import ColumnType, Number
from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.contract.record import Record, digest_of
from housectl.contract.schema import Transform

ObjectiveFolds = Literal[1, 3, 5]
"""Number of folds of the objective. A single fold tests on a fifth of the training rows."""

OBJECTIVE_FOLDS: Final = 5
TRAINING_VERSION = 2
"""Version of the training procedure. Version 1 did not standardise the target."""


class GateFolds(Record, kw_only=True):
    """The folds that the gate compares two models on.

    Attributes:
        repeats: Number of cross-validations, each with other folds.
        folds: Number of folds of each cross-validation.
    """

    repeats: Annotated[int, msgspec.Meta(ge=1, le=5)] = 5
    folds: Annotated[int, msgspec.Meta(ge=5, le=10)] = 10

    @property
    def total(self) -> int:
        """Number of folds of all repeats, which is the number of fits."""
        return self.repeats * self.folds


DEFAULT_GATE = GateFolds()

# Smallest number of training rows of each gate. Differences over larger folds vary less, and a fit
# to more rows costs more; docs/gate.md has the measurements.
_LARGER_GATES = (
    (100_000, GateFolds(repeats=1, folds=5)),
    (10_000, GateFolds(repeats=1)),
    (2_000, GateFolds(repeats=2)),
)


def gate_of(training_rows: int) -> GateFolds:
    """Return the gate's folds for a number of training rows."""
    return next((gate for rows, gate in _LARGER_GATES if training_rows >= rows), DEFAULT_GATE)


class SplitMethod(StrEnum):
    """Method that chooses the held-out rows."""

    HASH = "hash"
    HASH_FEATURES = "hash-features"
    SHUFFLE = "shuffle"
    TIME = "time"


class Split(Record, kw_only=True):
    """The division into training rows and held-out rows, which no trial sees.

    Attributes:
        holdout: Fraction of the rows that is held out, between 0 and 1.
        group: Column whose rows with the same value stay on one side, also in every fold.
        column: Column whose latest rows are held out; only the method `time` has one.
    """

    method: SplitMethod = SplitMethod.HASH
    holdout: float = 0.2
    group: str | None = None
    column: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Check that exactly the method `time` has a column, and that it has no group."""
        is_time = self.method is SplitMethod.TIME
        if is_time != (self.column is not UNSET):
            raise ValueError(f"the split by {self.method} with the column {self.column!r}")
        if is_time and self.group is not None:
            raise ValueError(f"the split by time with the group {self.group!r}")

    @property
    def time_column(self) -> str | None:
        """The column of the method `time`."""
        return None if self.column is UNSET else self.column


class Recipe(Record, kw_only=True):
    """The complete input of a training: data, split, seed, family, assignment and libraries.

    Attributes:
        data: sha256 of the canonical form of the data file.
        features: Names of the feature columns, in the model's order.
        libraries: Version of each training library.
        columns: Types of the features that are no numbers or may be missing; unset without one.
        earliest: Earliest date of each column of dates, from which its seconds count; unset without
            such a column.
        transform: Transformation of the target; unset for none.
        training: Version of the training procedure; unset for version 1.
        folds: Number of folds of the objective; unset for 5.
        gate: Folds of the gate; unset for 5 times 10.
    """

    family: Family
    assignment: dict[str, Value]
    data: str
    features: tuple[str, ...]
    target: str
    split: Split
    seed: int
    libraries: dict[str, str]
    columns: dict[str, ColumnType] | UnsetType = UNSET
    earliest: dict[str, float] | UnsetType = UNSET
    transform: Transform | UnsetType = UNSET
    training: int | UnsetType = UNSET
    folds: Literal[1, 3] | UnsetType = UNSET
    gate: GateFolds | UnsetType = UNSET

    @property
    def types(self) -> tuple[ColumnType, ...]:
        """Types of the features in the model's order."""
        types = {} if self.columns is UNSET else self.columns
        return tuple(types.get(name, Number()) for name in self.features)

    @property
    def objective_folds(self) -> ObjectiveFolds:
        """Number of folds of the objective."""
        return OBJECTIVE_FOLDS if self.folds is UNSET else self.folds

    @property
    def gate_folds(self) -> GateFolds:
        """Folds of the gate."""
        return DEFAULT_GATE if self.gate is UNSET else self.gate

    @property
    def digest(self) -> str:
        """The sha256 of the recipe's canonical JSON."""
        return digest_of(self)


def derived_seed(seed: int, purpose: str) -> int:
    """Return a seed of 32 bits for one purpose, the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:4])
