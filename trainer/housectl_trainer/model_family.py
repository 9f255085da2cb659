"""The interface of a model family: each module of `housectl_trainer.families` implements it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import numpy as np

from housectl.contract.columns import Precision, Rows
from housectl.contract.families import Family
from housectl.contract.graph.linear_graph import LinearGraph
from housectl.contract.parameters import Value
from housectl_trainer.scikit_learn import import_scikit_learn
from housectl_trainer.subset import Floats
from housectl_trainer.trees import Ensemble

ModelBody = Ensemble | LinearGraph
"""A trained model as arrays, which `onnx_export` makes a graph of."""


@dataclass(frozen=True)
class TrainingRows:
    """Rows to fit a model to.

    Attributes:
        expand: Returns `(n, width)`, expanded columns in the family's precision; NaN if missing.
            A function, so that `fit` can free the array once the library has copied it.
        targets: `(n,)`, standardised.
    """

    expand: Callable[[], Rows]
    targets: Floats


class Model(Protocol):
    """A trained model. It knows neither categories nor the target's unit."""

    def predict(self, rows: Floats) -> Floats:
        """Return the library's own predictions.

        Args:
            rows: `(n, width)`, expanded columns; NaN if missing.

        Returns:
            `(n,)` on the scale of training.
        """

    def native(self) -> bytes:
        """Return the library's own model file: equal bytes for equal recipes."""

    def body(self) -> ModelBody:
        """Return the model as arrays, on the scale of training."""


class FitFunction(Protocol):
    """Function that fits a family's models."""

    def __call__(
        self, assignment: Mapping[str, Value], training: TrainingRows, *, seed: int, threads: int
    ) -> Model:
        """Return the model of an assignment; the number of threads does not change it.

        Args:
            assignment: The model's parameters.
            training: The rows.
            seed: Seed of all random choices.
            threads: Number of training threads.
        """


class FitAndPredictFunction(Protocol):
    """Function that fits a model and predicts rows, and need not keep the whole model in memory."""

    def __call__(
        self,
        assignment: Mapping[str, Value],
        training: TrainingRows,
        rows: Rows,
        *,
        seed: int,
        threads: int,
    ) -> Floats:
        """Return the predictions of the model that the family's `fit` returns, bit for bit.

        Args:
            assignment: The model's parameters.
            training: The rows to fit to.
            rows: `(n, width)`, expanded columns of other rows, in the family's precision.
            seed: Seed of all random choices.
            threads: Number of training threads.

        Returns:
            `(n,)` on the scale of training.
        """


@dataclass(frozen=True, kw_only=True)
class ModelFamily:
    """Training of a family's models.

    Attributes:
        fit: Fits a model.
        fit_and_predict: Predicts the test rows of a fold; None for `fit` and the model's `predict`.
        precision: Type of the training rows' numbers. Trees round all numbers to float32, so they
            get rows that take half of the memory.
        measured_trees: Number of trees that are enough to estimate the time of one.
    """

    fit: FitFunction
    fit_and_predict: FitAndPredictFunction | None = None
    precision: Precision = np.float64
    measured_trees: int = 1


def load_family(family: Family) -> ModelFamily:
    """Return a family's training; imports its module, and with it the family's library."""
    # Every library of a family imports scikit-learn.
    if family.definition.libraries:
        import_scikit_learn()
    module = import_module(f"housectl_trainer.families.{family.definition.trainer_module}")
    loaded: ModelFamily = module.FAMILY
    return loaded
