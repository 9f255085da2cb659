from collections.abc import Mapping

import pytest

from housectl.contract.assignments import read_assignment
from housectl.contract.families import Family
from housectl.contract.family_definition import SearchRange
from housectl.contract.parameters import Value
from housectl.experiment import Parameter, ParameterKind, SearchSpace
from housectl.search_spaces import default_space, make_space, range_parameter, wide_space

SPACES = [
    pytest.param(family, space(family), id=f"{family}-{space.__name__}")
    for family in Family
    for space in (default_space, wide_space)
]


def accepts(parameter: Parameter, value: Value) -> bool:
    if parameter.kind is ParameterKind.CATEGORICAL:
        return value in parameter.choices
    assert parameter.minimum is not None
    assert parameter.maximum is not None
    assert not isinstance(value, str)
    is_integer = parameter.kind is ParameterKind.INT
    return parameter.minimum <= value <= parameter.maximum and isinstance(value, int) is is_integer


def outside(space: SearchSpace, assignment: Mapping[str, Value]) -> list[str]:
    """Return the names of the parameters whose value is outside their range."""
    return [
        parameter.name
        for parameter in space.parameters
        if not accepts(parameter, assignment[parameter.name])
    ]


@pytest.mark.parametrize(("family", "space"), SPACES)
def test_enqueued_assignments_are_complete_and_inside_the_space(
    family: Family, space: SearchSpace
) -> None:
    names = {parameter.name for parameter in space.parameters}
    for assignment in space.enqueued:
        assert assignment.keys() == names
        assert outside(space, assignment) == []
        complete = {**space.fixed, **assignment}
        assert read_assignment(family, complete) == complete


@pytest.mark.parametrize(("family", "space"), SPACES)
def test_family_accepts_both_ends_of_every_range(family: Family, space: SearchSpace) -> None:
    for parameter in space.parameters:
        domain = family.definition.domains[parameter.name]
        assert parameter.minimum is not None
        assert parameter.maximum is not None
        assert domain.accepts(parameter.minimum)
        assert domain.accepts(parameter.maximum)
        assert parameter.minimum < parameter.maximum
        assert parameter.minimum > 0 or not parameter.log


@pytest.mark.parametrize("family", Family)
def test_wide_space_searches_more_than_default_space(family: Family) -> None:
    default = default_space(family)
    searched = {parameter.name for parameter in default.parameters} | default.fixed.keys()
    wide = {parameter.name: parameter for parameter in wide_space(family).parameters}
    assert searched <= wide.keys()
    assert searched < wide.keys() or all(
        (wide[each.name].minimum or 0) < (each.minimum or 0)
        and (wide[each.name].maximum or 0) > (each.maximum or 0)
        for each in default.parameters
    )


def test_random_forest_starts_with_library_defaults_then_a_third_of_the_features() -> None:
    space = default_space(Family.RANDOM_FOREST)
    assert space.fixed == {"n_estimators": 300}
    assert space.enqueued == (
        {"max_features": 1.0, "min_samples_leaf": 1},
        {"max_features": 1 / 3, "min_samples_leaf": 1},
    )


def test_xgboost_starts_with_library_defaults_then_the_hand_tuned_recipe() -> None:
    library_defaults, hand_tuned = default_space(Family.XGBOOST).enqueued
    assert library_defaults | {"reg_alpha": 0.0} == {
        "n_estimators": 100,
        "learning_rate": 0.3,
        "max_depth": 6,
        "min_child_weight": 1.0,
        "subsample": 1.0,
        "colsample_bytree": 1.0,
        "reg_lambda": 1.0,
        "reg_alpha": 0.0,
    }
    assert hand_tuned == library_defaults | {
        "n_estimators": 400,
        "learning_rate": 0.05,
        "max_depth": 4,
        "min_child_weight": 2.0,
        "subsample": 0.8,
        "colsample_bytree": 0.5,
    }


def test_starting_point_outside_a_range_moves_to_the_nearer_end() -> None:
    family = Family.XGBOOST
    parameter = range_parameter(family, "max_depth", SearchRange(2, 5))
    space = make_space(family, (parameter,), {"n_estimators": 10})
    assert space.enqueued == ({"max_depth": 5}, {"max_depth": 4})


def test_starting_point_between_steps_moves_to_the_nearest_value() -> None:
    family = Family.RANDOM_FOREST
    parameter = range_parameter(family, "max_features", SearchRange(0, 0.95, step=0.1))
    space = make_space(family, (parameter,), {})
    assert space.enqueued == ({"max_features": 0.9}, {"max_features": 0.3})


def test_equal_starting_points_are_tried_once() -> None:
    family = Family.RANDOM_FOREST
    parameter = range_parameter(family, "min_samples_leaf", SearchRange(1, 8))
    assert make_space(family, (parameter,), {}).enqueued == ({"min_samples_leaf": 1},)


def test_starting_points_that_lack_a_searched_parameter_are_left_out() -> None:
    family = Family.RANDOM_FOREST
    parameter = range_parameter(family, "max_depth", SearchRange(2, 9))
    assert make_space(family, (parameter,), {}).enqueued == ()


def test_libraries_have_every_parameter() -> None:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import Ridge
    from xgboost import XGBRegressor

    estimators = {
        Family.RANDOM_FOREST: RandomForestRegressor(),
        Family.XGBOOST: XGBRegressor(),
        Family.LINEAR: Ridge(),
    }
    assert estimators.keys() == set(Family)
    for family, estimator in estimators.items():
        assert family.definition.domains.keys() <= estimator.get_params().keys()
