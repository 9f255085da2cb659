"""Raw material of a simulated world: squared errors of its models, from which all rules decide."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.gate_study.candidates import (
    TRAINING_ROWS,
    Role,
    Truth,
    boosting_dial,
    choose_recipes,
    forest_dial,
)
from benchmarks.gate_study.process import make_process
from housectl.contract.files import atomic_write
from housectl.contract.recipe import DEFAULT_GATE, Recipe, derived_seed
from housectl_trainer.fitting import fit
from housectl_trainer.folds import Fold, gate_folds
from housectl_trainer.subset import DataSubset, Floats

HELD_OUT_ROWS = 100
# The first worlds chose the gate's level of significance; all others check it.
LEVEL_WORLDS = 204
WORLDS_WITH_FURTHER_REPEATS = 80
_SEED = 42


class Pairing(StrEnum):
    """Kind of challenger, compared with the champion."""

    SEED = "same parameters, other seed"
    PARAMETERS = "other parameters"
    FAMILY = "other family"

    @classmethod
    def of(cls, number: int) -> "Pairing":
        """Return the kind of challenger of a world."""
        kinds = tuple(cls)
        return kinds[number % len(kinds)]


@dataclass(frozen=True, kw_only=True)
class Material:
    """Errors of the models of one world; the first axis of each array is the role.

    Attributes:
        number: Number of the world.
        true_mses: `(roles,)` true MSEs of the recipes.
        holdout: `(roles, rows)` squared errors of the held-out rows.
        folds: `(repeats, rows)` fold of each training row, first for the gate's own repeats, then
            for as many further ones. Only the first worlds have further repeats, which cost most.
        errors: `(roles, repeats, rows)` squared out-of-fold errors in all repeats. The further
            repeats fit each recipe with a model seed of their own.
    """

    number: int
    true_mses: Floats
    holdout: Floats
    folds: NDArray[np.int8]
    errors: Floats

    def save(self, path: Path) -> None:
        """Write the arrays to a file, with errors in single precision."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            true_mses=self.true_mses,
            holdout=self.holdout,
            folds=self.folds,
            errors=self.errors.astype(np.float32),
        )
        atomic_write(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> "Material":
        """Read the arrays of a file, whose name is the number of the world."""
        with np.load(path) as arrays:
            return cls(
                number=int(path.stem),
                true_mses=arrays["true_mses"],
                holdout=arrays["holdout"],
                folds=arrays["folds"],
                errors=arrays["errors"].astype(np.float64),
            )


def measure_world(number: int) -> Material:
    """Measure the models of a world with the trainer's folds and fits."""
    rng = np.random.default_rng([2003, number])
    process = make_process(rng, heavy_tails=number % 4 == 3)
    training = process.sample(TRAINING_ROWS, rng)
    holdout = process.sample(HELD_OUT_ROWS, rng)
    recipes = _recipes(Pairing.of(number), Truth.of(process, rng), rng)
    check = Truth.of(process, rng)
    own = gate_folds(training, seed=_SEED)
    further = _further_folds(training) if number < WORLDS_WITH_FURTHER_REPEATS else []
    return Material(
        number=number,
        true_mses=np.array([check.mse(recipe) for recipe in recipes]),
        holdout=np.array([_squared_errors(each, training, holdout) for each in recipes]),
        folds=_fold_numbers([*own, *further]),
        errors=np.array([_all_errors(each, training, own, further) for each in recipes]),
    )


def _further_folds(training: DataSubset) -> list[Fold]:
    return gate_folds(training, seed=derived_seed(_SEED, "further repeats"))


def _all_errors(
    recipe: Recipe, training: DataSubset, own: Sequence[Fold], further: Sequence[Fold]
) -> Floats:
    """Return the errors of the gate's own folds, then those of further repeats."""
    repeats = [
        further[start : start + DEFAULT_GATE.folds]
        for start in range(0, len(further), DEFAULT_GATE.folds)
    ]
    return np.concatenate(
        [
            _out_of_fold(recipe, training, own),
            *(
                _out_of_fold(_reseeded(recipe, number), training, repeat)
                for number, repeat in enumerate(repeats)
            ),
        ]
    )


def _recipes(kind: Pairing, truth: Truth, rng: np.random.Generator) -> Sequence[Recipe]:
    """Return the recipes in the order of the roles."""
    make_dial = forest_dial if kind is Pairing.FAMILY else boosting_dial
    champions = make_dial(rng, seed=_SEED)
    challengers = (
        replace(champions, seed=derived_seed(_SEED, "challenger"))
        if kind is Pairing.SEED
        else boosting_dial(rng, seed=_SEED)
    )
    chosen = choose_recipes(truth, champions, challengers)
    return [chosen[role] for role in Role]


def _squared_errors(recipe: Recipe, training: DataSubset, testing: DataSubset) -> Floats:
    errors: Floats = (fit(recipe, training).predict(testing.rows) - testing.targets) ** 2
    return errors


def _fold_numbers(folds: Sequence[Fold]) -> NDArray[np.int8]:
    numbers = np.empty((len(folds) // DEFAULT_GATE.folds, TRAINING_ROWS), dtype=np.int8)
    for index, (_, testing) in enumerate(folds):
        numbers[index // DEFAULT_GATE.folds, testing] = index % DEFAULT_GATE.folds
    return numbers


def _out_of_fold(recipe: Recipe, subset: DataSubset, folds: Sequence[Fold]) -> Floats:
    """Return `(repeats, rows)` squared errors of each row in the fold that tests it."""
    errors = np.empty((len(folds) // DEFAULT_GATE.folds, TRAINING_ROWS))
    for index, (training, testing) in enumerate(folds):
        errors[index // DEFAULT_GATE.folds, testing] = _squared_errors(
            recipe, subset.take(training), subset.take(testing)
        )
    return errors


def _reseeded(recipe: Recipe, number: int) -> Recipe:
    return msgspec.structs.replace(recipe, seed=derived_seed(recipe.seed, f"model/{number}"))
