"""Fitting of a recipe's model, whatever its family."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from housectl.contract.assignments import read_assignment
from housectl.contract.columns import Expansion
from housectl.contract.families import Family
from housectl.contract.inputs import SharedRecipe
from housectl.contract.libraries import library_versions
from housectl.contract.parameters import Assignment
from housectl.contract.recipe import Recipe
from housectl.errors import AssignmentError
from housectl_trainer.folds import Fold
from housectl_trainer.model_family import (
    Model,
    ModelBody,
    ModelFamily,
    TrainingRows,
    load_family,
)
from housectl_trainer.subset import DataSubset, Floats, Indices
from housectl_trainer.target_scale import TargetScale
from housectl_trainer.trees import Ensemble, Threshold

# The expanded columns of many rows need much memory.
_BLOCK_ROWS = 2**14


@dataclass(frozen=True)
class FittedModel:
    """A recipe's model: its family's model between the expansion and the target's own unit.

    Attributes:
        model: The family's model. It predicts standardised targets from expanded columns.
    """

    model: Model
    expansion: Expansion
    scale: TargetScale

    def predict(self, columns: Floats) -> Floats:
        """Return `(n,)` predictions in the target's unit.

        Args:
            columns: `(n, columns)`; see `housectl.contract.columns`.
        """
        blocks = (
            self.model.predict(self.expansion.expand(columns[start : start + _BLOCK_ROWS]))
            for start in range(0, max(1, len(columns)), _BLOCK_ROWS)
        )
        return self.scale.restore(np.concatenate(list(blocks)))

    def native(self) -> bytes:
        """Return the library's own model file."""
        return self.model.native()

    @cached_property
    def body(self) -> ModelBody:
        """The arrays of the family's model, which some libraries export slowly."""
        return self.model.body()

    def thresholds(self) -> list[Threshold]:
        """Return the numbers that the model compares each column with."""
        kept = self.expansion.kept
        return [
            (kept[index], threshold)
            for index, threshold in self._body_thresholds()
            if index < len(kept)
        ]

    def _body_thresholds(self) -> list[Threshold]:
        """Return the thresholds of expanded columns; a linear model has none."""
        return self.body.thresholds() if isinstance(self.body, Ensemble) else []


def make_recipe(shared: SharedRecipe, family: Family, assignment: Assignment) -> Recipe:
    """Return the recipe of one model.

    Raises:
        AssignmentError: The family does not accept the assignment.
    """
    values = read_assignment(family, assignment)
    return shared.recipe(family, values, library_versions())


def fit(
    recipe: Recipe, subset: DataSubset, *, indices: Indices | None = None, threads: int = 1
) -> FittedModel:
    """Fit a recipe's model to some rows; the number of threads does not change the model.

    Args:
        recipe: The recipe.
        subset: Some rows of the data.
        indices: Rows of the subset to fit to; None for all.
        threads: Number of training threads.

    Raises:
        AssignmentError: The library rejects the assignment.
        MemoryError: There is not enough memory.
    """
    return _fit(recipe, _prepare(recipe, subset, indices), threads=threads)


def predict_fold(recipe: Recipe, subset: DataSubset, fold: Fold, *, threads: int = 1) -> Floats:
    """Fit a recipe's model to a fold's training rows, and return predictions of its test rows.

    Returns:
        `(n,)` in the target's unit: those of the model that `fit` returns, bit for bit.

    Raises:
        As `fit`.
    """
    fitted, tested = fold
    prepared = _prepare(recipe, subset, fitted)
    family = prepared.family
    if family.fit_and_predict is None:
        return _fit(recipe, prepared, threads=threads).predict(subset.rows[tested])
    rows = prepared.expansion.expand(subset.rows, indices=tested, dtype=family.precision)
    with _translated_errors(recipe):
        predictions = family.fit_and_predict(
            recipe.assignment, prepared.training, rows, seed=recipe.seed, threads=threads
        )
    return prepared.scale.restore(predictions)


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A family, and the rows that it fits a model to."""

    family: ModelFamily
    expansion: Expansion
    scale: TargetScale
    training: TrainingRows


def _prepare(recipe: Recipe, subset: DataSubset, indices: Indices | None) -> _Prepared:
    family, expansion = load_family(recipe.family), Expansion.of(recipe.types)
    targets = subset.targets if indices is None else subset.targets[indices]
    scale = TargetScale.of(targets, recipe.transform)
    expand = partial(expansion.expand, subset.rows, indices=indices, dtype=family.precision)
    training = TrainingRows(expand=expand, targets=scale.standardise(targets))
    return _Prepared(family=family, expansion=expansion, scale=scale, training=training)


def _fit(recipe: Recipe, prepared: _Prepared, *, threads: int) -> FittedModel:
    with _translated_errors(recipe):
        model = prepared.family.fit(
            recipe.assignment, prepared.training, seed=recipe.seed, threads=threads
        )
    return FittedModel(model=model, expansion=prepared.expansion, scale=prepared.scale)


@contextmanager
def _translated_errors(recipe: Recipe) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise _translate(error, recipe) from error


def _translate(error: ValueError, recipe: Recipe) -> MemoryError | AssignmentError:
    """Return the error that a library's ValueError means: XGBoost reports lack of memory so too."""
    message = str(error).partition("\n")[0]
    if "bad_alloc" in message or "bad_malloc" in message:
        return MemoryError(message)
    return AssignmentError(
        f"The library rejects this assignment of {recipe.family}: {message}",
        hint="Change the ranges of its parameters in housectl.yaml.",
    )
