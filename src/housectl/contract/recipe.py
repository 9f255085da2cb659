"""Recipes. A recipe is the complete input of a training: equal recipes give byte-equal models."""

import hashlib
from enum import StrEnum

from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.contract.record import Record, digest_of

OBJECTIVE_FOLDS = 5
GATE_FOLDS = 10
GATE_REPEATS = 5


class SplitMethod(StrEnum):
    """Method that chooses the held-out rows."""

    HASH = "hash"
    SHUFFLE = "shuffle"


class Split(Record, kw_only=True):
    """The division into training rows and held-out rows, which no trial sees.

    Attributes:
        holdout: Fraction of the rows that is held out, between 0 and 1.
        group: Column whose rows with the same value stay on one side, also in every fold.
    """

    method: SplitMethod = SplitMethod.HASH
    holdout: float = 0.2
    group: str | None = None


class Recipe(Record, kw_only=True):
    """The complete input of a training: data, split, seed, family, assignment and libraries.

    Attributes:
        data: sha256 of the data file.
        features: Names of the feature columns, in the model's order.
        libraries: Version of each training library.
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
    """Return a seed of 32 bits for one purpose, the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:4])
