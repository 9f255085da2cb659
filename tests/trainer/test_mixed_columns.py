"""Categories, booleans, dates and missing values: trained, exported and compared."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from housectl.contract.column_types import Number
from housectl.contract.columns import Expansion
from housectl.contract.families import Family
from housectl.contract.golden import GoldenSource
from housectl.contract.parameters import Value
from housectl.contract.schema import Transform
from housectl.contract.scorer import Scorer
from housectl.errors import SealError
from housectl_trainer.evaluation import model_mse
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.model_family import Model
from housectl_trainer.sealing.onnx_export import to_onnx
from housectl_trainer.sealing.seal import checked_graph
from housectl_trainer.subset import Floats
from housectl_trainer.trees import Ensemble
from tests.trainer.mixed_data import TYPES, mixed_dataset

RECIPES: list[tuple[Family, dict[str, Value]]] = [
    (Family.RANDOM_FOREST, {"n_estimators": 20}),
    (Family.RANDOM_FOREST, {"n_estimators": 5, "max_features": 0.3, "ccp_alpha": 0.001}),
    (Family.RANDOM_FOREST, {"n_estimators": 5, "criterion": "absolute_error"}),
    (Family.XGBOOST, {"n_estimators": 40}),
    (Family.XGBOOST, {"n_estimators": 20, "tree_method": "exact", "gamma": 0.01}),
    (Family.XGBOOST, {"n_estimators": 5, "max_depth": 0, "grow_policy": "lossguide"}),
    (Family.LINEAR, {"alpha": 0.01}),
]


@pytest.mark.parametrize("transform", [None, Transform.LOG])
@pytest.mark.parametrize(("family", "assignment"), RECIPES)
def test_graph_routes_categories_dates_and_missing_values_as_the_library_does(
    *, family: Family, assignment: dict[str, Value], transform: Transform | None
) -> None:
    dataset = mixed_dataset(transform=transform)
    recipe = make_recipe(dataset.shared, family, assignment)
    model = fit(recipe, dataset.training)
    graph = checked_graph(model, recipe, dataset, GoldenSource.DATA)
    handles_missing = b"IsNaN" if family is Family.LINEAR else b"nodes_missing_value_tracks_true"
    assert handles_missing in graph.content
    assert model_mse(model, dataset.holdout) < 0.7 * np.var(dataset.holdout.targets)


def with_swapped_missing(ensemble: Ensemble) -> Ensemble:
    trees = (replace(tree, missing_left=~tree.missing_left) for tree in ensemble.trees)
    return replace(ensemble, trees=tuple(trees))


def with_swapped_indicators(ensemble: Ensemble) -> Ensemble:
    """Return trees that confuse the first two levels of the first category."""
    first = len(Expansion.of(tuple(TYPES.values())).kept)
    swapped = {first: first + 1, first + 1: first}
    trees = (
        replace(
            tree,
            features=np.array([swapped.get(index, index) for index in tree.features.tolist()]),
        )
        for tree in ensemble.trees
    )
    return replace(ensemble, trees=tuple(trees))


@pytest.mark.parametrize("damage", [with_swapped_missing, with_swapped_indicators])
@pytest.mark.parametrize("family", [Family.RANDOM_FOREST, Family.XGBOOST])
def test_graph_that_routes_other_values_is_rejected(
    family: Family, damage: Callable[[Ensemble], Ensemble]
) -> None:
    dataset = mixed_dataset()
    recipe = make_recipe(dataset.shared, family, {"n_estimators": 10})
    model = fit(recipe, dataset.training)
    damaged = replace(model, model=Damaged(model.model, damage(model.model.body())))
    with pytest.raises(SealError, match="The ONNX graph differs from the model"):
        checked_graph(damaged, recipe, dataset, GoldenSource.DATA)


@dataclass(frozen=True)
class Damaged:
    """A model whose trees are not those of the library's model."""

    model: Model
    trees: Ensemble

    def predict(self, rows: Floats) -> Floats:
        return self.model.predict(rows)

    def native(self) -> bytes:
        return self.model.native()

    def body(self) -> Ensemble:
        return self.trees


def test_missing_values_in_a_fold_without_any_are_predicted() -> None:
    dataset = mixed_dataset()
    complete = np.flatnonzero(~np.isnan(dataset.training.rows).any(axis=1))
    for criterion in ("squared_error", "absolute_error"):
        assignment = {"n_estimators": 3, "criterion": criterion}
        recipe = make_recipe(dataset.shared, Family.RANDOM_FOREST, assignment)
        model = fit(recipe, dataset.training.take(complete))
        assert np.isfinite(model.predict(dataset.holdout.rows)).all()
        content = to_onnx(model.body, expansion=model.expansion, scale=model.scale).content
        graph = Scorer(content, schema=dataset.shared.schema)
        assert graph.predict_columns(dataset.holdout.rows) == pytest.approx(
            model.predict(dataset.holdout.rows).tolist(), rel=1e-12
        )


def test_recipe_names_types_levels_and_the_earliest_date() -> None:
    shared = mixed_dataset().shared
    recipe = make_recipe(shared, Family.XGBOOST, {})
    assert recipe.columns == {name: each for name, each in TYPES.items() if each != Number()}
    assert recipe.earliest == {"sold": shared.schema.features[-1].minimum}
    assert recipe.types == tuple(TYPES.values())
