"""Fits that need less memory give the models of the libraries' ordinary fits."""

import numpy as np
import pytest
from xgboost import XGBRegressor

from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl_trainer.families import random_forest, xgboost
from housectl_trainer.fitting import fit, make_recipe, predict_fold
from housectl_trainer.folds import objective_folds
from housectl_trainer.model_family import TrainingRows
from tests.trainer.mixed_data import mixed_dataset

FORESTS: dict[str, dict[str, Value]] = {
    "one group": {"n_estimators": 3},
    "whole groups": {"n_estimators": 8, "max_features": 0.5, "max_samples": 0.4},
    "a last group of one tree": {"n_estimators": 9, "max_depth": 3},
    "the library's number of trees": {"min_samples_leaf": 5},
    "pruned trees": {"n_estimators": 10, "ccp_alpha": 0.01},
    "absolute errors": {"n_estimators": 10, "max_depth": 2, "criterion": "absolute_error"},
}


@pytest.mark.parametrize("name", FORESTS)
def test_groups_of_trees_predict_as_the_whole_forest(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = mixed_dataset()
    training = dataset.training
    recipe = make_recipe(dataset.shared, Family.RANDOM_FOREST, FORESTS[name])
    fitted, tested = fold = objective_folds(training, seed=recipe.seed)[0]
    whole = fit(recipe, training, indices=fitted).predict(training.rows[tested])
    # Four trees of these rows fit into a group, two for each of two threads.
    monkeypatch.setattr(random_forest, "_GROUP_BYTES", 4 * 160 * len(fitted))
    assert predict_fold(recipe, training, fold).tolist() == whole.tolist()
    assert predict_fold(recipe, training, fold, threads=2).tolist() == whole.tolist()


@pytest.mark.parametrize("tree_method", [None, "hist", "approx", "exact"])
def test_xgboost_trains_the_model_of_its_own_estimator(tree_method: str | None) -> None:
    generator = np.random.default_rng(5)
    rows = generator.normal(size=(400, 5)).astype(np.float32)
    targets = rows[:, 0] + np.sin(rows[:, 1].astype(np.float64))
    rows[generator.random(rows.shape) < 0.1] = np.nan
    assignment: dict[str, Value] = {"n_estimators": 20, "subsample": 0.7, "colsample_bytree": 0.6}
    if tree_method is not None:
        assignment |= {"tree_method": tree_method, "max_bin": 40}
    training = TrainingRows(expand=lambda: rows, targets=targets)
    model = xgboost.FAMILY.fit(assignment, training, seed=7, threads=1)
    estimator = XGBRegressor(**assignment, random_state=7, n_jobs=1).fit(rows, targets + 3.0)
    assert model.native() == bytes(estimator.get_booster().save_raw("ubj"))
    assert (
        model.predict(rows).tolist() == (estimator.predict(rows).astype(np.float64) - 3.0).tolist()
    )
