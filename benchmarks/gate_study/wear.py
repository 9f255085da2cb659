"""Wear of held-out rows: optimism of the champion's error after many comparisons on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.gate_study.candidates import TRAINING_ROWS, Dial, boosting_dial
from benchmarks.gate_study.material import HELD_OUT_ROWS
from benchmarks.gate_study.process import Process, make_process
from benchmarks.gate_study.rules import TODAY_THRESHOLD, fold_probability
from housectl.contract.recipe import Recipe
from housectl.contract.record import Record
from housectl.verdict import Gate
from housectl_trainer.evaluation import fold_mse, model_mse
from housectl_trainer.fitting import FittedModel, fit
from housectl_trainer.folds import gate_folds
from housectl_trainer.subset import DataSubset, Floats

CHALLENGERS = 20
_FRESH_ROWS = 4_000
_TREES = 20
_SEED = 42

# Returns True if a challenger, by its number, defeats a champion.
Wins = Callable[[int, int], bool]


class Wear(Record, kw_only=True):
    """The champion of one world after each comparison with an equal challenger.

    Attributes:
        optimism: By gate: the champion's true MSE minus its held-out MSE, relative to the true MSE.
            The mean of this difference over all challengers is subtracted, because no choice of the
            gate causes it.
        promotions: By gate: number of promotions.
    """

    optimism: Mapping[Gate, tuple[float, ...]]
    promotions: Mapping[Gate, int]


def measure_wear(number: int) -> Wear:
    """Let equal models challenge one after the other on the same rows."""
    rng = np.random.default_rng([2004, number])
    process = make_process(rng, heavy_tails=False)
    training, holdout = process.sample(TRAINING_ROWS, rng), process.sample(HELD_OUT_ROWS, rng)
    recipes = _equal_recipes(process, rng)
    models = [fit(recipe, training) for recipe in recipes]
    mses = np.array([model_mse(model, holdout) for model in models])
    luck = _relative_luck(process, models, mses, rng)
    champions = {
        Gate.HOLDOUT: _champions(lambda new, old: bool(mses[new] < mses[old])),
        Gate.HOLDOUT_AND_CV: _champions(_two_keys(recipes, training, mses)),
    }
    return Wear(
        optimism={gate: tuple(luck[indices].tolist()) for gate, indices in champions.items()},
        promotions={gate: len(set(indices)) - 1 for gate, indices in champions.items()},
    )


def _equal_recipes(process: Process, rng: np.random.Generator) -> Sequence[Recipe]:
    """Return recipes that differ in their seed, and a little in the rows and columns of a tree."""
    dial = boosting_dial(rng, seed=_SEED)
    return [
        _varied(dial, seed, rng).recipe(_TREES, features=process.features)
        for seed in range(1 + CHALLENGERS)
    ]


def _varied(dial: Dial, seed: int, rng: np.random.Generator) -> Dial:
    sampling = {name: float(rng.uniform(0.6, 0.9)) for name in ("subsample", "colsample_bytree")}
    return replace(dial, fixed={**dial.fixed, **sampling}, seed=seed)


def _relative_luck(
    process: Process, models: Sequence[FittedModel], mses: Floats, rng: np.random.Generator
) -> Floats:
    fresh = process.sample(_FRESH_ROWS, rng).rows
    true_mses = np.array([process.true_mse(model, fresh) for model in models])
    relative = (true_mses - mses) / true_mses
    luck: Floats = relative - relative.mean()
    return luck


def _champions(wins: Wins) -> list[int]:
    """Return the number of the champion after each comparison."""
    champions = [0]
    for challenger in range(1, 1 + CHALLENGERS):
        champion = champions[-1]
        champions.append(challenger if wins(challenger, champion) else champion)
    return champions


def _two_keys(recipes: Sequence[Recipe], training: DataSubset, mses: Floats) -> Wins:
    folds = gate_folds(training, seed=_SEED)

    @cache
    def fold_mses(number: int) -> Floats:
        return np.array([fold_mse(recipes[number], training, fold) for fold in folds])

    def wins(new: int, old: int) -> bool:
        return bool(mses[new] < mses[old]) and (
            fold_probability(fold_mses(new) - fold_mses(old)) > TODAY_THRESHOLD
        )

    return wins
