from collections.abc import Mapping

import pytest

from housectl.contract.parameters import PARAMETERS, read_assignment
from housectl.contract.recipe import Family, Value
from housectl.experiment import Parameter, ParameterKind, SearchSpace
from housectl.search_spaces import default_space, make_space, range_parameter, wide_space

SPACES = [
    pytest.param(family, space(family), id=f"{family}-{space.__name__}")
    for family in Family
    for space in (default_space, wide_space)
]


def holds(parameter: Parameter, value: Value) -> bool:
    if parameter.kind is ParameterKind.CATEGORICAL:
        return value in parameter.choices
    assert parameter.minimum is not None
    assert parameter.maximum is not None
    assert not isinstance(value, str)
    whole = parameter.kind is ParameterKind.INT
    return parameter.minimum <= value <= parameter.maximum and isinstance(value, int) is whole


def misplaced(space: SearchSpace, assignment: Mapping[str, Value]) -> list[str]:
    return [each.name for each in space.parameters if not holds(each, assignment[each.name])]


@pytest.mark.parametrize(("family", "space"), SPACES)
def test_enqueued_assignments_are_whole_and_inside(family: Family, space: SearchSpace) -> None:
    names = {parameter.name for parameter in space.parameters}
    for assignment in space.enqueued:
        assert assignment.keys() == names
        assert misplaced(space, assignment) == []
        whole = {**space.fixed, **assignment}
        assert read_assignment(family, whole) == whole


@pytest.mark.parametrize(("family", "space"), SPACES)
def test_every_range_is_one_that_the_family_accepts(family: Family, space: SearchSpace) -> None:
    for parameter in space.parameters:
        known = PARAMETERS[family][parameter.name]
        assert parameter.minimum is not None
        assert parameter.maximum is not None
        assert known.accepts(parameter.minimum)
        assert known.accepts(parameter.maximum)
        assert parameter.minimum < parameter.maximum
        assert parameter.minimum > 0 or not parameter.log


@pytest.mark.parametrize("family", Family)
def test_the_wide_space_has_all_that_the_default_one_has_and_more(family: Family) -> None:
    default = default_space(family)
    searched = {parameter.name for parameter in default.parameters} | default.fixed.keys()
    wide = {parameter.name for parameter in wide_space(family).parameters}
    assert searched < wide


def test_the_forest_starts_with_the_library_and_then_a_third_of_the_features() -> None:
    space = default_space(Family.RANDOM_FOREST)
    assert space.fixed == {"n_estimators": 300}
    assert space.enqueued == (
        {"max_features": 1.0, "min_samples_leaf": 1},
        {"max_features": 1 / 3, "min_samples_leaf": 1},
    )


def test_xgboost_starts_with_the_library_and_then_the_recipe_set_by_hand() -> None:
    library, by_hand = default_space(Family.XGBOOST).enqueued
    assert library | {"reg_alpha": 0.0} == {
        "n_estimators": 100,
        "learning_rate": 0.3,
        "max_depth": 6,
        "min_child_weight": 1.0,
        "subsample": 1.0,
        "colsample_bytree": 1.0,
        "reg_lambda": 1.0,
        "reg_alpha": 0.0,
    }
    assert by_hand == library | {
        "n_estimators": 400,
        "learning_rate": 0.05,
        "max_depth": 4,
        "min_child_weight": 2.0,
        "subsample": 0.8,
        "colsample_bytree": 0.5,
    }


def test_a_start_outside_of_a_range_moves_to_its_nearer_end() -> None:
    family = Family.XGBOOST
    space = make_space(family, (range_parameter(family, "max_depth", 2, 5),), {"n_estimators": 10})
    assert space.enqueued == ({"max_depth": 5}, {"max_depth": 4})


def test_starts_that_a_space_makes_equal_are_tried_once() -> None:
    family = Family.RANDOM_FOREST
    space = make_space(family, (range_parameter(family, "min_samples_leaf", 1, 8),), {})
    assert space.enqueued == ({"min_samples_leaf": 1},)


def test_a_parameter_without_a_known_start_has_none() -> None:
    family = Family.RANDOM_FOREST
    assert make_space(family, (range_parameter(family, "max_depth", 2, 9),), {}).enqueued == ()


def test_the_libraries_know_every_parameter() -> None:
    from sklearn.ensemble import RandomForestRegressor
    from xgboost import XGBRegressor

    assert PARAMETERS[Family.RANDOM_FOREST].keys() <= RandomForestRegressor().get_params().keys()
    assert PARAMETERS[Family.XGBOOST].keys() <= XGBRegressor().get_params().keys()
