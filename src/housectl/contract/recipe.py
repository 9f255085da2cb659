"""Recipes: everything that decides a model, so that the same recipe gives the same bytes."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum

from housectl.contract.record import Record, digest_of

OBJECTIVE_FOLDS = 5
GATE_FOLDS = 10
GATE_REPEATS = 5

Value = int | float | str
Assignment = Mapping[str, Value]


class Family(StrEnum):
    """A kind of model."""

    RANDOM_FOREST = "random-forest"
    XGBOOST = "xgboost"


class SplitMethod(StrEnum):
    """How the held-out rows are chosen."""

    HASH = "hash"
    SHUFFLE = "shuffle"


class Split(Record, kw_only=True):
    """Which rows no trial sees.

    Attributes:
        holdout: Share of the rows that is held out, between 0 and 1.
        group: Column whose rows with the same value stay on one side, also in every fold.
    """

    method: SplitMethod = SplitMethod.HASH
    holdout: float = 0.2
    group: str | None = None


class Recipe(Record, kw_only=True):
    """Everything that decides a model.

    Attributes:
        data: sha256 of the data file.
        features: Names of the columns that are used, in the model's order.
        libraries: Version of each library that takes part in training.
    """

    family: Family
    assignment: dict[str, Value]
    data: str
    features: tuple[str, ...]
    target: str
    split: Split
    seed: int
    libraries: dict[str, str]

    @property
    def digest(self) -> str:
        """The sha256 of the recipe's canonical JSON."""
        return digest_of(self)


def derived_seed(seed: int, purpose: str) -> int:
    """Return a seed of 32 bits that no other purpose has, the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:4])
