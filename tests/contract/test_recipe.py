"""Recipes: their digests, and the gate that follows from the number of training rows."""

import pytest
from msgspec import structs

from housectl.contract.evidence import evidence_key
from housectl.contract.families import Family
from housectl.contract.recipe import DEFAULT_GATE, GateFolds, Recipe, Split, gate_of

RECIPE = Recipe(
    family=Family.RANDOM_FOREST,
    assignment={},
    data="0" * 64,
    features=("a",),
    target="b",
    split=Split(),
    seed=1,
    libraries={},
)


def test_digests_of_earlier_recipes_stay_valid() -> None:
    assert RECIPE.digest == "a6754bcc0221bd365ff669ef1fff2d2c86d3d9fe9ea2e183a7a3b61e5437f6a3"
    key = "b3bdbbb1d7ed26fb3c80417601b7fba12624303607dad886ae379558017d8127"
    assert evidence_key(RECIPE) == key
    assert (RECIPE.objective_folds, RECIPE.gate_folds) == (5, DEFAULT_GATE)


def test_other_folds_change_the_evidence_key() -> None:
    gates = (GateFolds(repeats=2), GateFolds(repeats=1), GateFolds(repeats=1, folds=5))
    recipes = [RECIPE, *(structs.replace(RECIPE, gate=gate) for gate in gates)]
    assert len({evidence_key(recipe) for recipe in recipes}) == 4


@pytest.mark.parametrize(
    ("rows", "repeats", "folds"),
    [
        (50, 5, 10),
        (1_999, 5, 10),
        (2_000, 2, 10),
        (9_999, 2, 10),
        (10_000, 1, 10),
        (99_999, 1, 10),
        (100_000, 1, 5),
        (10**9, 1, 5),
    ],
)
def test_gate_has_fewer_folds_for_more_rows(rows: int, repeats: int, folds: int) -> None:
    assert gate_of(rows) == GateFolds(repeats=repeats, folds=folds)
