"""The models of a simulated world, chosen by their true errors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from benchmarks.gate_study.process import Process
from housectl.contract.assignments import read_assignment
from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.contract.recipe import TRAINING_VERSION, Recipe, Split
from housectl_trainer.fitting import fit
from housectl_trainer.subset import DataSubset, Floats

TRAINING_ROWS = 400
_FRESH_TRAININGS = 8
_FRESH_ROWS = 4_000

# Values of the parameter that decides the error, from a high error to a low one.
_LEAVES = (140, 110, 85, 60, 40, 25, 15, 9, 5, 3, 2, 1)
_TREES = (1, 2, 3, 5, 8, 12, 18, 26, 36)


class Role(StrEnum):
    """Role of a model in the cases of a world; ratios are those of true MSEs."""

    CHAMPION = "champion"
    EQUAL = "equal"
    WORSE = "worse"
    BETTER = "better"
    BAD_CHAMPION = "bad champion"


RATIOS: Mapping[Role, float] = {Role.EQUAL: 1.0, Role.WORSE: 1.05, Role.BETTER: 0.9}
BAD_RATIO = 2.5


@dataclass(frozen=True, kw_only=True)
class Dial:
    """Recipes that differ in one parameter, which decides their true error.

    Attributes:
        fixed: The other parameters.
        values: Values of the parameter at which the true error is measured.
    """

    family: Family
    parameter: str
    fixed: Mapping[str, Value]
    values: Sequence[int]
    seed: int

    def recipe(self, value: int, *, features: int) -> Recipe:
        """Return the recipe with a value of the parameter."""
        assignment = {**self.fixed, self.parameter: value}
        return Recipe(
            family=self.family,
            assignment=dict(read_assignment(self.family, assignment)),
            data="0" * 64,
            features=tuple(f"x{number}" for number in range(features)),
            target="y",
            split=Split(),
            seed=self.seed,
            libraries={},
            training=TRAINING_VERSION,
        )


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Fresh data of a process, on which true errors are measured."""

    process: Process
    trainings: Sequence[DataSubset]
    rows: Floats

    @classmethod
    def of(cls, process: Process, rng: np.random.Generator) -> "Truth":
        """Draw the data."""
        return cls(
            process=process,
            trainings=[process.sample(TRAINING_ROWS, rng) for _ in range(_FRESH_TRAININGS)],
            rows=process.sample(_FRESH_ROWS, rng).rows,
        )

    def mse(self, recipe: Recipe) -> float:
        """Return the true MSE of a recipe: the mean over models of several training samples."""
        errors = [self.process.true_mse(fit(recipe, each), self.rows) for each in self.trainings]
        return float(np.mean(errors))


def forest_dial(rng: np.random.Generator, *, seed: int) -> Dial:
    """Return forests that differ in the size of their leaves."""
    fixed = {"n_estimators": 12, "max_features": float(rng.uniform(0.3, 1))}
    return Dial(
        family=Family.RANDOM_FOREST,
        parameter="min_samples_leaf",
        fixed=fixed,
        values=_LEAVES,
        seed=seed,
    )


def boosting_dial(rng: np.random.Generator, *, seed: int) -> Dial:
    """Return boosted trees that differ in their number."""
    fixed: dict[str, Value] = {
        "learning_rate": float(rng.uniform(0.15, 0.35)),
        "max_depth": int(rng.integers(2, 5)),
        "subsample": float(rng.uniform(0.6, 1)),
        "colsample_bytree": float(rng.uniform(0.5, 1)),
    }
    return Dial(
        family=Family.XGBOOST, parameter="n_estimators", fixed=fixed, values=_TREES, seed=seed
    )


def choose_recipes(truth: Truth, champions: Dial, challengers: Dial) -> dict[Role, Recipe]:
    """Return recipes whose true errors have the wanted ratios, as nearly as possible."""
    features = truth.process.features
    old = Curve.measure(truth, champions)
    new = old if champions == challengers else Curve.measure(truth, challengers)
    level = old.level_above(new.best / RATIOS[Role.BETTER])
    chosen = {role: (challengers, new.value_at(ratio * level)) for role, ratio in RATIOS.items()}
    chosen[Role.CHAMPION] = champions, old.value_at(level)
    bad = BAD_RATIO * RATIOS[Role.BETTER] * level
    chosen[Role.BAD_CHAMPION] = champions, old.value_at(bad)
    return {role: dial.recipe(value, features=features) for role, (dial, value) in chosen.items()}


@dataclass(frozen=True, kw_only=True)
class Curve:
    """True errors of a dial's recipes, up to the best one."""

    values: Floats
    mses: Floats

    @classmethod
    def measure(cls, truth: Truth, dial: Dial) -> "Curve":
        """Measure the true error of each value, and make the curve fall."""
        features = truth.process.features
        recipes = (dial.recipe(value, features=features) for value in dial.values)
        return cls.of(dial.values, map(truth.mse, recipes))

    @classmethod
    def of(cls, values: Iterable[int], mses: Iterable[float]) -> "Curve":
        """Return the falling part of the curve."""
        errors = np.fromiter(mses, dtype=np.float64)
        end = int(np.argmin(errors)) + 1
        falling = np.minimum.accumulate(errors[:end])
        return cls(values=np.array(list(values)[:end], dtype=np.float64), mses=falling)

    @property
    def best(self) -> float:
        """The lowest error."""
        return float(self.mses[-1])

    def level_above(self, wanted: float) -> float:
        """Return the lowest measured error that is not below the wanted one."""
        above = self.mses[self.mses >= wanted]
        return float(above[-1]) if len(above) else float(self.mses[0])

    def value_at(self, mse: float) -> int:
        """Return the value with an error, by interpolation of logarithms."""
        falling = np.log(self.mses[::-1])
        logarithm = np.interp(np.log(mse), falling, np.log(self.values[::-1]))
        return round(float(np.exp(logarithm)))
