"""The cases of the study: which model challenges which, and the goal of each case."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate_study.candidates import Role
from benchmarks.gate_study.evidence import simulated_evidence
from benchmarks.gate_study.material import Material
from benchmarks.gate_study.rules import Pair
from housectl.contract.evidence import Evidence
from housectl.contract.recipe import DEFAULT_GATE
from housectl.verdict import Gate, judge
from housectl_trainer.subset import Floats


@dataclass(frozen=True, kw_only=True)
class Case:
    """A kind of challenger.

    Attributes:
        pairs: Challenger and champion; every world is judged once for each pair.
        goal: Limit of the rate of promotions.
        is_error: True if a promotion is an error, so that the goal is a maximum.
    """

    name: str
    pairs: Sequence[tuple[Role, Role]]
    goal: float
    is_error: bool


EQUAL = Case(
    name="equal",
    pairs=((Role.EQUAL, Role.CHAMPION), (Role.CHAMPION, Role.EQUAL)),
    goal=0.07,
    is_error=True,
)
WORSE = Case(name="slightly worse", pairs=((Role.WORSE, Role.CHAMPION),), goal=0.03, is_error=True)
BETTER = Case(
    name="0.9 of the MSE", pairs=((Role.BETTER, Role.CHAMPION),), goal=0.7, is_error=False
)
MUCH_BETTER = Case(
    name="2.5 times better", pairs=((Role.BETTER, Role.BAD_CHAMPION),), goal=0.97, is_error=False
)
CASES = (EQUAL, WORSE, BETTER, MUCH_BETTER)

_INDEX = {role: index for index, role in enumerate(Role)}


def pair_of(material: Material, challenger: Role, champion: Role) -> Pair:
    """Return the differences of two models of a world."""
    new, old = _INDEX[challenger], _INDEX[champion]
    errors = material.errors[new] - material.errors[old]
    own = slice(None, DEFAULT_GATE.repeats)
    return Pair(
        champion_mse=float(material.errors[old, own].mean()),
        folds=fold_means(errors, material.folds),
        rows=errors[own].mean(axis=0),
        holdout=material.holdout[new] - material.holdout[old],
    )


def true_ratio(material: Material, challenger: Role, champion: Role) -> float:
    """Return the challenger's true MSE divided by the champion's."""
    return float(material.true_mses[_INDEX[challenger]] / material.true_mses[_INDEX[champion]])


def fold_means(errors: Floats, folds: NDArray[np.int8]) -> Floats:
    """Return `(repeats, folds)` means of `(repeats, rows)` errors."""
    return np.array(
        [
            [repeat[numbers == fold].mean() for fold in range(DEFAULT_GATE.folds)]
            for repeat, numbers in zip(errors, folds, strict=True)
        ]
    )


def for_each_pair(
    materials: Sequence[Material], case: Case, function: Callable[[Material, Role, Role], float]
) -> Floats:
    """Return `(worlds, pairs)` values of a function of a world and two roles."""
    return np.array(
        [[function(material, *roles) for roles in case.pairs] for material in materials]
    )


def is_promoted(material: Material, challenger: Role, champion: Role) -> bool:
    """Return the verdict of the gate itself."""
    return judge(
        _evidence(material, challenger), _evidence(material, champion), gate=Gate.HOLDOUT_AND_CV
    ).accepted


def _evidence(material: Material, role: Role) -> Evidence:
    index = _INDEX[role]
    own = slice(None, DEFAULT_GATE.repeats)
    return simulated_evidence(
        holdout_mse=float(material.holdout[index].mean()),
        fold_mses=fold_means(material.errors[index, own], material.folds[own]).ravel().tolist(),
    )
