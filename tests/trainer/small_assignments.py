"""Assignments of each family that train quickly."""

from collections.abc import Mapping

from housectl.contract.families import Family
from housectl.contract.parameters import Value

TREE_FAMILIES = (Family.RANDOM_FOREST, Family.XGBOOST)

SMALL_ASSIGNMENTS: Mapping[Family, Mapping[str, Value]] = {
    Family.RANDOM_FOREST: {"n_estimators": 20, "max_features": 0.4},
    Family.XGBOOST: {"n_estimators": 20, "subsample": 0.8, "colsample_bytree": 0.5},
    Family.LINEAR: {"alpha": 0.01},
}


def arguments_of(assignment: Mapping[str, Value]) -> list[str]:
    """Return the assignment as arguments of the trainer."""
    return [f"{name}={value}" for name, value in assignment.items()]
