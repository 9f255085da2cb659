"""Categories, booleans, dates and missing values: trained, exported and compared."""

import numpy as np
import pytest

from housectl.contract.families import Family
from housectl.contract.golden import GoldenSource
from housectl.contract.parameters import Value
from housectl.contract.schema import Transform
from housectl_trainer.evaluation import model_mse
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.seal import checked_graph
from tests.trainer.mixed_data import mixed_dataset

RECIPES: list[tuple[Family, dict[str, Value]]] = [
    (Family.RANDOM_FOREST, {"n_estimators": 20}),
    (Family.RANDOM_FOREST, {"n_estimators": 5, "max_features": 0.3, "ccp_alpha": 0.001}),
    (Family.RANDOM_FOREST, {"n_estimators": 5, "criterion": "absolute_error"}),
    (Family.XGBOOST, {"n_estimators": 40}),
    (Family.XGBOOST, {"n_estimators": 20, "tree_method": "exact", "gamma": 0.01}),
    (Family.XGBOOST, {"n_estimators": 5, "max_depth": 0, "grow_policy": "lossguide"}),
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
    assert b"nodes_missing_value_tracks_true" in graph.content
    assert model_mse(model, dataset.holdout) < 0.7 * np.var(dataset.holdout.targets)
