"""Golden rows of data with all types: each can be sent as a request, and repeats its prediction."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from msgspec import structs

from housectl.contract.cells import read_row
from housectl.contract.column_types import Category, ColumnType, Datetime, Number
from housectl.contract.columns import ColumnEncoder
from housectl.contract.families import Family
from housectl.contract.golden import MAX_GOLDEN_ROWS, GoldenRow, GoldenSource
from housectl.contract.schema import Schema
from housectl_trainer.data import Dataset
from housectl_trainer.fitting import FittedModel, fit, make_recipe
from housectl_trainer.sealing.golden import golden_rows, row_source
from tests.trainer.mixed_data import mixed_dataset, with_type


@cache
def dataset() -> Dataset:
    return mixed_dataset()


def trained(data: Dataset) -> FittedModel:
    return fit(make_recipe(data.shared, Family.XGBOOST, {"n_estimators": 8}), data.training)


@cache
def golden(kind: GoldenSource, *, seed: int = 1) -> tuple[GoldenRow, ...]:
    source = row_source(kind, dataset(), seed=seed)
    return golden_rows(trained(dataset()), source, dataset().shared.schema, seed=2)


def cells(rows: tuple[GoldenRow, ...], name: str) -> set[object]:
    index = dataset().shared.schema.feature_names.index(name)
    return {each.row[index] for each in rows}


@pytest.mark.parametrize("kind", GoldenSource)
def test_rows_have_each_level_unknown_texts_and_missing_values(kind: GoldenSource) -> None:
    rows = golden(kind)
    assert len(rows) <= MAX_GOLDEN_ROWS
    assert cells(rows, "town") >= {"Ulm", "Bonn", "Köln, Süd", "other", None}
    assert cells(rows, "heating") == {"gas", "oil", "other"}
    assert cells(rows, "class") == {"A", "B", "C"}
    assert cells(rows, "pool") == {True, False, None}
    types = dataset().shared.schema.types
    for index, column in enumerate(types):
        assert any(each.row[index] is None for each in rows) is column.nullable
    assert max(each.row.count(None) for each in rows) == sum(each.nullable for each in types)


@pytest.mark.parametrize("kind", GoldenSource)
def test_cells_lead_to_the_predictions_of_the_model(kind: GoldenSource) -> None:
    schema, rows = dataset().shared.schema, golden(kind)
    doubles = np.array([read_row(schema, each.row) for each in rows])
    expected = trained(dataset()).predict(ColumnEncoder(schema.features).encode(doubles))
    assert [each.prediction for each in rows] == expected.tolist()


@pytest.mark.parametrize("kind", GoldenSource)
def test_dates_and_numbers_are_out_of_range_in_four_rows(kind: GoldenSource) -> None:
    schema = dataset().shared.schema
    doubles = np.array([read_row(schema, each.row) for each in golden(kind)])
    for index, feature in enumerate(schema.features):
        outside = (doubles[:, index] < feature.minimum) | (doubles[:, index] > feature.maximum)
        if isinstance(feature.type, Number | Datetime):
            assert outside.sum() >= 4


def test_synthetic_rows_repeat_no_row_of_the_data() -> None:
    source = row_source(GoldenSource.SYNTHETIC, dataset(), seed=1)
    data = {tuple(row) for row in np.nan_to_num(dataset().values, nan=-9).tolist()}
    assert not data & {tuple(row) for row in np.nan_to_num(source.rows, nan=-9).tolist()}
    areas = set(dataset().values[:, 0].tolist())
    assert not areas & set(source.rows[:, 0].tolist())


def test_rows_are_reproducible() -> None:
    again = row_source(GoldenSource.SYNTHETIC, dataset(), seed=1)
    schema = dataset().shared.schema
    assert golden_rows(trained(dataset()), again, schema, seed=2) == golden(GoldenSource.SYNTHETIC)


@pytest.mark.parametrize(
    "date_format", ["%d.%m.%Y", "%y%m%d", "%Y-%m-%dT%H:%M:%S%z", "%d %B %Y %H", "%m/%Y", "iso8601"]
)
def test_dates_of_any_format_can_be_read_again(date_format: str) -> None:
    schema = with_type(dataset(), "sold", Datetime(format=date_format, nullable=True))
    rows = golden_rows(
        trained(dataset()), row_source(GoldenSource.DATA, dataset(), seed=1), schema, seed=2
    )
    assert all(read_row(schema, each.row) for each in rows)


def widened(schema: Schema, column: ColumnType, count: int) -> Schema:
    feature = schema.features[3]
    more = tuple(
        structs.replace(feature, name=f"more {number}", column=column) for number in range(count)
    )
    return structs.replace(schema, features=(*schema.features, *more))


def test_many_categories_and_gaps_give_a_limited_number_of_rows() -> None:
    category = Category(levels=tuple(f"level {number}" for number in range(50)), nullable=True)
    schema = widened(dataset().shared.schema, category, 400)
    wide = np.column_stack([dataset().values, np.zeros((len(dataset().values), 400))])
    source = row_source(GoldenSource.DATA, dataset(), seed=1)
    extended = np.zeros(400)
    source = replace(
        source,
        rows=wide,
        low=np.concatenate([source.low, extended]),
        high=np.concatenate([source.high, extended]),
    )

    class Constant(FittedModel):
        def predict(self, columns: np.ndarray) -> np.ndarray:
            return np.zeros(len(columns))

    model = trained(dataset())
    constant = Constant(model=model.model, expansion=model.expansion, scale=model.scale)
    rows = golden_rows(constant, source, schema, seed=2)
    assert 200 <= len(rows) <= 300
    assert {each.row[-1] for each in rows} >= set(category.levels)
