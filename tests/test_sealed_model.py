"""Predictions in Python of a model with categories, booleans, dates and missing values."""

import math
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from housectl.errors import DataError
from housectl.sealed_model import SealedModel
from tests.server.typed_bundles import HOME, typed_bundle

MISSING = (None, math.nan, np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT"))
NULLABLE = ("rooms", "town", "pool", "built")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SealedModel:
    return SealedModel(typed_bundle(tmp_path_factory.mktemp("bundle")))


@pytest.mark.parametrize("number", range(len(MISSING)))
def test_missing_values_of_pandas_are_missing(model: SealedModel, number: int) -> None:
    omitted = {name: value for name, value in HOME.items() if name not in NULLABLE}
    missing = omitted | dict.fromkeys(NULLABLE, MISSING[number])
    assert model.predict([missing]) == model.predict([omitted]) != model.predict([HOME])


@pytest.mark.parametrize("false", [False, np.bool_(False)])
def test_false_is_no_missing_value(model: SealedModel, false: object) -> None:
    with pytest.raises(DataError, match="rooms is not a number"):
        model.predict([{**HOME, "rooms": false}])


def test_target_and_excluded_columns_are_ignored(model: SealedModel) -> None:
    assert model.predict([{**HOME, "price": 5, "owner": "Ada"}]) == model.predict([HOME])


@pytest.mark.parametrize(
    ("name", "value", "usual"),
    [
        ("area", np.int8(80), 80.0),
        ("area", np.float32(80.5), 80.5),
        ("town", np.str_("Ulm"), "Ulm"),
        ("pool", np.bool_(False), False),
        ("sold", date(1999, 5, 1), "1999-05-01"),
        ("sold", datetime(1999, 5, 1, tzinfo=UTC), "1999-05-01"),
        ("sold", datetime(1999, 5, 1, tzinfo=timezone(timedelta(hours=2))), "1999-04-30T22:00"),
        ("sold", pd.Timestamp("1999-05-01"), "1999-05-01"),
        ("sold", np.datetime64("1999-05-01T00:00:00.000000001"), "1999-05-01"),
        ("built", pd.Timestamp("2001-05-01"), "01.05.2001"),
    ],
)
def test_values_of_python_are_read_as_those_of_requests(
    model: SealedModel, name: str, value: object, usual: object
) -> None:
    assert model.predict([{**HOME, name: value}]) == model.predict([{**HOME, name: usual}])


def test_rows_of_a_data_frame_are_predicted(model: SealedModel) -> None:
    rows: list[dict[str, object]] = [{**HOME}, {**HOME, "town": None, "rooms": None, "built": None}]
    frame = pd.DataFrame(rows).astype({"town": "category", "pool": "boolean"})
    frame["sold"] = pd.to_datetime(frame["sold"])
    frame[model.schema.target.name] = 1.0
    assert model.predict(frame.to_dict("records")) == model.predict(rows)


def test_error_names_each_invalid_value(model: SealedModel) -> None:
    row = {**HOME, "area": None, "heating": "coal", "pool": 1, "lift": 1}
    with pytest.raises(DataError) as caught:
        model.predict([HOME, row])
    assert caught.value.message == (
        "Row 1 is invalid: lift is unknown; area is missing; "
        "heating 'coal' is not one of its levels; pool is not true or false."
    )
