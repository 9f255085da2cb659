"""Golden rows: of the data, or synthetic."""

from dataclasses import replace

import numpy as np
import pytest

from housectl.contract.families import Family
from housectl.contract.golden import GoldenRow, GoldenSource
from housectl.contract.schema import FLOAT32_MAXIMUM
from housectl_trainer.data import Dataset
from housectl_trainer.fitting import FittedModel, fit, make_recipe
from housectl_trainer.sealing.golden import golden_rows, row_source
from housectl_trainer.subset import Floats

WHOLE_NUMBERS = ("CHAS", "RAD", "TAX")


@pytest.fixture(scope="module")
def model(boston_dataset: Dataset) -> FittedModel:
    recipe = make_recipe(boston_dataset.shared, Family.RANDOM_FOREST, {"n_estimators": 3})
    return fit(recipe, boston_dataset.training)


def golden(
    model: FittedModel, dataset: Dataset, kind: GoldenSource, *, seed: int = 1
) -> tuple[GoldenRow, ...]:
    source = row_source(kind, dataset, seed=seed)
    return golden_rows(model, source, dataset.shared.schema, seed=2)


def rows_of(golden: tuple[GoldenRow, ...]) -> Floats:
    return np.array([each.row for each in golden])


def test_synthetic_rows_have_no_cell_of_a_feature_with_fractions(
    model: FittedModel, boston_dataset: Dataset
) -> None:
    synthetic = rows_of(golden(model, boston_dataset, GoldenSource.SYNTHETIC))
    schema = boston_dataset.shared.schema
    for index, feature in enumerate(schema.features):
        if feature.name in WHOLE_NUMBERS:
            continue
        cells = set(boston_dataset.values[:, index]) - {feature.minimum, feature.maximum}
        thresholds = {value for at, value in model.thresholds() if at == index}
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
    model: FittedModel, boston_dataset: Dataset, kind: GoldenSource
) -> None:
    first = golden(model, boston_dataset, kind)
    assert first == golden(model, boston_dataset, kind)
    rows = rows_of(first)
    assert len(rows) == 32
    source = row_source(kind, boston_dataset, seed=1)
    outside = ((rows < source.low) | (rows > source.high)).all(axis=1)
    assert outside.sum() == 4
    thresholds = model.thresholds()
    columns = [set(column) for column in rows.T]
    assert sum(value in columns[index] for index, value in thresholds) >= 4


def test_seed_changes_synthetic_rows_only(model: FittedModel, boston_dataset: Dataset) -> None:
    for kind in GoldenSource:
        one, other = (golden(model, boston_dataset, kind, seed=seed) for seed in (1, 2))
        assert (one == other) is (kind is GoldenSource.DATA)


# scikit-learn finds NaN by the sum of all values, and warns if the sum overflows.
@pytest.mark.filterwarnings("ignore:invalid value encountered in reduce")
def test_rows_out_of_range_are_numbers_that_a_server_accepts(
    model: FittedModel, boston_dataset: Dataset
) -> None:
    source = row_source(GoldenSource.DATA, boston_dataset, seed=1)
    largest = np.where(np.arange(len(source.high)) == 0, 3e38, source.high)
    wide = replace(source, high=largest)
    made = golden_rows(model, wide, boston_dataset.shared.schema, seed=2)
    assert (np.abs(rows_of(made)) <= FLOAT32_MAXIMUM).all()
