"""Golden rows: of the data, or synthetic."""

from dataclasses import replace

import numpy as np
import pytest

from housectl.contract.families import Family
from housectl.contract.golden import Golden, GoldenSource
from housectl.contract.schema import FLOAT32_MAXIMUM
from housectl_trainer.data import Dataset
from housectl_trainer.fitting import fit, make_recipe
from housectl_trainer.golden import make_golden, row_source
from housectl_trainer.model_family import Model
from housectl_trainer.parity import probes
from housectl_trainer.subset import Floats

WHOLE_NUMBERS = ("CHAS", "RAD", "TAX")


@pytest.fixture(scope="module")
def model(boston_dataset: Dataset) -> Model:
    recipe = make_recipe(boston_dataset.shared, Family.RANDOM_FOREST, {"n_estimators": 3})
    return fit(recipe, boston_dataset.training)


def golden(model: Model, dataset: Dataset, kind: GoldenSource, *, seed: int = 1) -> Golden:
    source = row_source(kind, dataset, seed=seed)
    at_thresholds = probes(model.ensemble(), source.rows, seed=2)
    features = dataset.shared.schema.feature_names
    return make_golden(model, source, at_thresholds, features=features, tolerance=1e-9)


def rows_of(golden: Golden) -> Floats:
    return np.array([each.row for each in golden.rows])


def test_synthetic_rows_have_no_cell_of_a_feature_with_fractions(
    model: Model, boston_dataset: Dataset
) -> None:
    synthetic = rows_of(golden(model, boston_dataset, GoldenSource.SYNTHETIC))
    schema = boston_dataset.shared.schema
    for index, feature in enumerate(schema.features):
        if feature.name in WHOLE_NUMBERS:
            continue
        cells = set(boston_dataset.all_rows[:, index]) - {feature.minimum, feature.maximum}
        thresholds = {
            value for at, value in model.ensemble().thresholds_by_feature() if at == index
        }
        assert not cells & set(synthetic[:, index]) - thresholds, feature.name


def test_synthetic_rows_are_in_the_ranges_and_whole_where_the_data_is(
    boston_dataset: Dataset,
) -> None:
    schema = boston_dataset.shared.schema
    rows = row_source(GoldenSource.SYNTHETIC, boston_dataset, seed=1).rows
    low = [feature.minimum for feature in schema.features]
    high = [feature.maximum for feature in schema.features]
    assert ((low <= rows) & (rows <= high)).all()
    whole = (rows % 1 == 0).all(axis=0)
    assert {name for name, only in zip(schema.feature_names, whole, strict=True) if only} == {
        *WHOLE_NUMBERS
    }


@pytest.mark.parametrize("kind", GoldenSource)
def test_golden_rows_are_reproducible_at_thresholds_and_out_of_range(
    model: Model, boston_dataset: Dataset, kind: GoldenSource
) -> None:
    first = golden(model, boston_dataset, kind)
    assert first == golden(model, boston_dataset, kind)
    rows = rows_of(first)
    assert len(rows) == 32
    source = row_source(kind, boston_dataset, seed=1)
    outside = ((rows < source.low) | (rows > source.high)).all(axis=1)
    assert outside.sum() == 4
    thresholds = model.ensemble().thresholds_by_feature()
    columns = [set(column) for column in rows.T]
    assert sum(value in columns[index] for index, value in thresholds) >= 4


def test_seed_changes_synthetic_rows_only(model: Model, boston_dataset: Dataset) -> None:
    for kind in GoldenSource:
        one, other = (golden(model, boston_dataset, kind, seed=seed) for seed in (1, 2))
        assert (one == other) is (kind is GoldenSource.DATA)


# scikit-learn finds NaN by the sum of all values, and warns if the sum overflows.
@pytest.mark.filterwarnings("ignore:invalid value encountered in reduce")
def test_rows_out_of_range_are_numbers_that_a_server_accepts(
    model: Model, boston_dataset: Dataset
) -> None:
    source = row_source(GoldenSource.DATA, boston_dataset, seed=1)
    largest = np.where(np.arange(len(source.high)) == 0, 3e38, source.high)
    wide = replace(source, high=largest)
    features = boston_dataset.shared.schema.feature_names
    made = make_golden(model, wide, source.rows[:0], features=features, tolerance=1e-9)
    assert (np.abs(rows_of(made)) <= FLOAT32_MAXIMUM).all()
