"""A model does not depend on the unit of its target."""

from dataclasses import replace
from functools import cache
from math import ldexp

import numpy as np
import pytest

from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.contract.schema import FLOAT32_MAXIMUM, Transform
from housectl_trainer.evaluation import model_mse
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.target_scale import TargetScale
from tests.trainer.mixed_data import mixed_dataset

UNITS = (1e-60, 1e-9, 1e-5, 1e9, 1e20, 1e60)
# Parameters whose meaning depends on the unit of the target, and others.
RECIPES: list[tuple[Family, dict[str, Value]]] = [
    (Family.RANDOM_FOREST, {"n_estimators": 10}),
    (Family.RANDOM_FOREST, {"n_estimators": 5, "min_impurity_decrease": 0.02}),
    (Family.RANDOM_FOREST, {"n_estimators": 5, "ccp_alpha": 0.01, "criterion": "absolute_error"}),
    (Family.XGBOOST, {"n_estimators": 20, "reg_alpha": 3.0, "gamma": 1.5}),
    (Family.XGBOOST, {"n_estimators": 20, "max_delta_step": 0.2, "reg_lambda": 5.0}),
]


@cache
def r_squared(recipe_number: int, unit: float, offset: float = 0.0) -> float:
    family, assignment = RECIPES[recipe_number]
    dataset = mixed_dataset(unit=unit, offset=offset)
    model = fit(make_recipe(dataset.shared, family, assignment), dataset.training)
    return 1 - model_mse(model, dataset.holdout) / np.var(dataset.holdout.targets)


@pytest.mark.parametrize("unit", UNITS)
def test_r_squared_and_ranking_are_the_same_in_any_unit(unit: float) -> None:
    numbers = range(len(RECIPES))
    expected = [r_squared(number, 1.0) for number in numbers]
    assert min(expected) > 0.2
    assert [r_squared(number, unit) for number in numbers] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("number", range(len(RECIPES)))
def test_large_offset_does_not_change_the_error(number: int) -> None:
    assert r_squared(number, 1.0, 1e6) == pytest.approx(r_squared(number, 1.0), abs=0.02)


@pytest.mark.parametrize("transform", [None, Transform.LOG])
@pytest.mark.parametrize("family", [Family.RANDOM_FOREST, Family.XGBOOST])
def test_target_times_a_power_of_two_gives_the_same_model_file(
    family: Family, transform: Transform | None
) -> None:
    def model_file(unit: float) -> bytes:
        dataset = mixed_dataset(unit=unit, transform=transform)
        return fit(
            make_recipe(dataset.shared, family, {"n_estimators": 5}), dataset.training
        ).native()

    assert model_file(1.0) == model_file(ldexp(1, 40)) == model_file(ldexp(1, -60))


def test_scale_restores_the_targets() -> None:
    targets = np.random.default_rng(0).lognormal(3, 2, 500)
    for transform in (None, Transform.LOG):
        scale = TargetScale.of(targets, transform) if transform else TargetScale.of(targets)
        standardised = scale.standardise(targets)
        assert np.mean(standardised) == pytest.approx(0, abs=1e-8)
        assert np.std(standardised) == pytest.approx(1, rel=1e-8)
        step = 2**-30 * scale.deviation
        allowed = 2 * step * (targets if transform else 1)
        assert (np.abs(scale.restore(standardised) - targets) <= allowed).all()


def test_equal_targets_have_a_scale() -> None:
    scale = TargetScale.of(np.full(5, 3e20))
    assert scale.restore(scale.standardise(np.full(5, 3e20))).tolist() == [3e20] * 5


def test_predictions_of_a_logarithm_are_finite_and_positive() -> None:
    scale = TargetScale(transform=Transform.LOG, centre=5.0, deviation=300.0)
    predictions = scale.restore(np.array([-1e3, 0.0, 1e3]))
    assert np.isfinite(predictions).all()
    assert (predictions > 0).all()


def test_errors_of_predictions_far_out_of_range_are_within_the_limit_of_evidence() -> None:
    dataset = mixed_dataset(transform=Transform.LOG)
    model = fit(make_recipe(dataset.shared, Family.LINEAR, {}), dataset.training)
    far = dataset.holdout.rows.copy()
    far[:, 0] = FLOAT32_MAXIMUM
    assert 1e140 < model_mse(model, replace(dataset.holdout, rows=far)) < 1e150
