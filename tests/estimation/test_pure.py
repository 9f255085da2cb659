"""Typical assignments, sizes of models, and the text of an estimate."""

import pytest

from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.estimation.assignments import typical_assignment
from housectl.estimation.model_size import LARGE_BYTES, largest_model_bytes
from housectl.estimation.search_estimate import FamilyEstimate, SearchEstimate
from housectl.experiment import Parameter, ParameterKind, SearchSpace
from housectl.quantities import format_seconds
from housectl.scaffold.search_choices import choose_search
from housectl.search_spaces import default_space


def integers(name: str, minimum: int, maximum: int, *, log: bool = False) -> Parameter:
    kind = ParameterKind.INT
    return Parameter(name=name, kind=kind, minimum=minimum, maximum=maximum, log=log)


def test_typical_assignment_has_the_middle_of_each_range() -> None:
    space = SearchSpace(
        parameters=(
            integers("n_estimators", 100, 1000, log=True),
            Parameter(name="max_features", kind=ParameterKind.DOUBLE, minimum=0.2, maximum=1.0),
            Parameter(name="criterion", kind=ParameterKind.CATEGORICAL, choices=("a", "b", "c")),
        ),
        fixed={"max_depth": 9},
    )
    assert typical_assignment(space) == {
        "n_estimators": 316,
        "max_features": 0.6,
        "criterion": "b",
        "max_depth": 9,
    }


@pytest.mark.parametrize(
    ("fixed", "leaves"),
    [
        ({}, 632),
        ({"max_samples": 0.5}, 316),
        ({"max_leaf_nodes": 100}, 100),
        ({"max_depth": 5}, 32),
        ({"min_samples_leaf": 10}, 100),
    ],
)
def test_size_of_a_forest_follows_its_leaves(fixed: dict[str, Value], leaves: int) -> None:
    space = SearchSpace(parameters=(integers("n_estimators", 2, 4),), fixed=fixed)
    size = largest_model_bytes(Family.RANDOM_FOREST, space, rows=1000)
    assert size == pytest.approx(177 * 4 * leaves, rel=1e-3)


def test_size_of_xgboost_follows_its_depth() -> None:
    space = SearchSpace(parameters=(integers("max_depth", 2, 8),), fixed={"n_estimators": 400})
    assert largest_model_bytes(Family.XGBOOST, space, rows=10**6) == 105 * 400 * 256
    assert largest_model_bytes(Family.LINEAR, default_space(Family.LINEAR), rows=10**6) == 0


@pytest.mark.parametrize("rows", [100, 3000, 3001, 10_000, 10_001, 1_000_000])
def test_models_of_each_draft_are_below_100_megabytes(rows: int) -> None:
    search = choose_search(rows)
    for family in (search.family,) if search.family else Family:
        space = default_space(family)
        if family in search.spaces:
            largest = {
                name: value["max"] if name != "min_samples_leaf" else value["min"]
                for name, value in search.spaces[family].items()
                if isinstance(value, dict)
            }
            constants = {
                name: value
                for name, value in search.spaces[family].items()
                if not isinstance(value, dict)
            }
            space = SearchSpace(parameters=(), fixed={**constants, **largest})
        assert largest_model_bytes(family, space, rows=rows) < LARGE_BYTES * 1.01


def test_estimate_names_each_family_and_the_search() -> None:
    families = {
        Family.RANDOM_FOREST: FamilyEstimate(trials=20, trial_seconds=90.0, largest_model=0),
        Family.XGBOOST: FamilyEstimate(trials=10, trial_seconds=3.0, largest_model=0),
    }
    estimate = SearchEstimate(families=families, parallel=2)
    assert estimate.seconds == (20 * 90 + 10 * 3) / 2
    assert "random-forest 2 min, xgboost 3 s" in str(estimate)
    assert "The search of 30 trials, 2 at a time, takes up to about 15 min." in str(estimate)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.001, "0.001 s"), (0.44, "0.4 s"), (59, "59 s"), (100, "2 min"), (5400, "1.5 h")],
)
def test_durations_are_rounded(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
