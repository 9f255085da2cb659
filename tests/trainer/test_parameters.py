import pytest

from housectl.contract.assignments import parse_assignments, read_assignment
from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.errors import AssignmentError


def test_texts_become_values_of_each_parameters_type() -> None:
    texts = parse_assignments(["n_estimators=20", "max_features=1", "min_samples_leaf=2"])
    assignment = read_assignment(Family.RANDOM_FOREST, texts)
    assert assignment == {"n_estimators": 20, "max_features": 1.0, "min_samples_leaf": 2}
    assert [type(value) for value in assignment.values()] == [int, float, int]


def test_texts_and_values_give_the_same_assignment() -> None:
    values: dict[str, Value] = {"learning_rate": 0.1, "max_depth": 4, "reg_lambda": 1}
    texts = parse_assignments(["learning_rate=0.1", "max_depth=4", "reg_lambda=1"])
    assignment = read_assignment(Family.XGBOOST, values)
    assert assignment == read_assignment(Family.XGBOOST, texts)
    assert repr(assignment["reg_lambda"]) == "1.0"


def test_choices_of_the_library_are_accepted() -> None:
    assignment = read_assignment(Family.RANDOM_FOREST, {"max_features": "sqrt"})
    assert assignment == {"max_features": "sqrt"}


@pytest.mark.parametrize(
    ("family", "name", "value", "accepted"),
    [
        (Family.RANDOM_FOREST, "max_features", "5.0", "a number above 0 up to 1 or sqrt or log2"),
        (Family.RANDOM_FOREST, "max_features", 0, "a number above 0"),
        (Family.RANDOM_FOREST, "n_estimators", "0", "a whole number from 1"),
        (Family.RANDOM_FOREST, "n_estimators", "2.5", "a whole number from 1"),
        (Family.RANDOM_FOREST, "n_estimators", 2.5, "a whole number from 1"),
        (Family.RANDOM_FOREST, "criterion", "poisson", "squared_error"),
        (Family.RANDOM_FOREST, "ccp_alpha", "nan", "a number from 0"),
        (Family.XGBOOST, "learning_rate", "inf", "a number above 0"),
        (Family.XGBOOST, "subsample", "1.1", "up to 1"),
        (Family.XGBOOST, "gamma", -1, "a number from 0"),
        (Family.XGBOOST, "tree_method", "gpu_hist", "hist or approx or exact"),
    ],
)
def test_value_outside_the_domain_is_rejected(
    family: Family, name: str, value: Value, accepted: str
) -> None:
    with pytest.raises(AssignmentError, match=f"{name} of {family}") as error:
        read_assignment(family, {name: value})
    assert accepted in error.value.hint


def test_unknown_parameter_is_rejected_with_a_list_of_the_parameters() -> None:
    with pytest.raises(AssignmentError, match="no parameter 'learning_rate'") as error:
        read_assignment(Family.RANDOM_FOREST, {"learning_rate": 0.1})
    assert all(name in error.value.hint for name in Family.RANDOM_FOREST.definition.domains)


@pytest.mark.parametrize("texts", [["max_depth"], ["max_depth="], ["=4"], ["a=1", "a=2"]])
def test_texts_without_a_value_or_with_two_are_rejected(texts: list[str]) -> None:
    with pytest.raises(AssignmentError):
        parse_assignments(texts)
