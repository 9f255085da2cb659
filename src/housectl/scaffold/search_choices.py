"""Choices of a drafted project file for its search: families, space and folds, by the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.contract.recipe import OBJECTIVE_FOLDS, ObjectiveFolds

# Forests of 300 trees with more rows have more than 100 MB, unless their leaves are limited.
_FULL_FOREST_ROWS = 3000
_FOREST_LEAVES = 1500
# With more rows, a trial of a forest takes minutes; one of XGBoost takes seconds.
_ALL_FAMILIES_ROWS = 10_000
_SEVERAL_FOLDS_ROWS = 100_000

SpaceFields = Mapping[str, Value | Mapping[str, Value | bool]]
"""The parameters of a family as `space:` has them: constants and ranges."""


@dataclass(frozen=True, kw_only=True)
class SearchChoices:
    """Proposals for the search of a project file, with notes for its author.

    Attributes:
        family: The family; None for all families.
        spaces: Spaces that are not the default.
        folds: Number of folds of the objective.
    """

    family: Family | None = None
    spaces: Mapping[Family, SpaceFields] = field(default_factory=dict)
    folds: ObjectiveFolds = OBJECTIVE_FOLDS
    notes: tuple[str, ...] = ()


def choose_search(rows: int) -> SearchChoices:
    """Return the choices for a number of rows.

    They keep a bundle below 100 MB, and a search of 30 trials below about ten minutes.
    """
    if rows <= _FULL_FOREST_ROWS:
        return SearchChoices()
    if rows <= _ALL_FAMILIES_ROWS:
        note = (
            f"With {rows} rows, the draft limits the leaves of each tree of a forest: "
            f"`max_leaf_nodes: {_FOREST_LEAVES}`. Otherwise a model can have more than 100 MB."
        )
        return SearchChoices(spaces={Family.RANDOM_FOREST: _limited_forest()}, notes=(note,))
    has_folds = rows <= _SEVERAL_FOLDS_ROWS
    folds: ObjectiveFolds = 3 if has_folds else 1
    note = (
        f"With {rows} rows, the draft searches XGBoost alone, because a forest takes many times "
        f"as long: `family: xgboost`. Each trial is measured on "
        f"{'3 folds' if has_folds else 'a single part of the rows'}: `folds: {folds}`."
    )
    return SearchChoices(
        family=Family.XGBOOST,
        spaces={Family.XGBOOST: _histogram_xgboost()},
        folds=folds,
        notes=(note,),
    )


def _limited_forest() -> SpaceFields:
    definition = Family.RANDOM_FOREST.definition
    return {
        **definition.default_space.fixed,
        "max_leaf_nodes": _FOREST_LEAVES,
        "max_samples": {"min": 0.3, "max": 1.0},
        **_default_ranges(Family.RANDOM_FOREST),
    }


def _histogram_xgboost() -> SpaceFields:
    return {"tree_method": "hist", **_default_ranges(Family.XGBOOST)}


def _default_ranges(family: Family) -> SpaceFields:
    return {
        name: {
            "min": search_range.minimum,
            "max": search_range.maximum,
            **({"log": True} if search_range.log else {}),
        }
        for name, search_range in family.definition.default_space.ranges.items()
    }
