"""What a family has to be able to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from housectl.contract.recipe import Value
from housectl_trainer.subset import DataSubset, Floats
from housectl_trainer.trees import Ensemble


class Model(Protocol):
    """A trained model."""

    def predict(self, rows: Floats) -> Floats:
        """Return the library's own predictions.

        Args:
            rows: `(n, features)` in the features' units.

        Returns:
            `(n,)` in the target's unit.
        """

    def native(self) -> bytes:
        """Return the library's own model file: equal bytes for equal recipes."""

    def ensemble(self) -> Ensemble:
        """Return the trees."""


class Learner(Protocol):
    """What trains a family's models."""

    def __call__(
        self, assignment: Mapping[str, Value], part: DataSubset, *, seed: int, threads: int
    ) -> Model:
        """Return the model of an assignment; the number of threads does not change it."""


@dataclass(frozen=True, kw_only=True)
class ModelFamily:
    """How a family is trained.

    Attributes:
        parity: Largest difference between model and ONNX graph, relative to the standard deviation
            of the training target.
    """

    learn: Learner
    parity: float
