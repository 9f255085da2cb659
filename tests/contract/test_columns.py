"""Columns of rows: parts of dates, codes of categories, and their indicators."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from housectl.contract.cells import UNKNOWN_LEVEL
from housectl.contract.column_types import (
    Boolean,
    Category,
    ColumnType,
    Datetime,
    Number,
    UnknownLevels,
)
from housectl.contract.columns import ColumnEncoder, Expansion
from housectl.contract.schema import Feature, column_record

FIRST = datetime(1899, 12, 31, tzinfo=UTC)
MOMENTS = [FIRST + timedelta(days=97.3 * number) for number in range(900)]
TOWN = Category(levels=("Ulm", "Bonn"), nullable=True)
HEATING = Category(levels=("gas",), unknown_levels=UnknownLevels.GROUP)


def feature(name: str, column: ColumnType, *, minimum: float = 0.0) -> Feature:
    return Feature(name=name, minimum=minimum, maximum=1e10, column=column_record(column))


def test_date_becomes_year_month_weekday_and_seconds_since_the_earliest_date() -> None:
    encoder = ColumnEncoder([feature("sold", Datetime(), minimum=FIRST.timestamp())])
    columns = encoder.encode(np.array([[moment.timestamp()] for moment in MOMENTS]))
    assert encoder.names == ("sold.year", "sold.month", "sold.weekday", "sold.seconds")
    assert columns[:, 0].tolist() == [moment.year for moment in MOMENTS]
    assert columns[:, 1].tolist() == [moment.month for moment in MOMENTS]
    assert columns[:, 2].tolist() == [moment.weekday() for moment in MOMENTS]
    seconds = [(moment - FIRST).total_seconds() for moment in MOMENTS]
    assert columns[:, 3].tolist() == pytest.approx(seconds, abs=1e-4)


def test_missing_date_has_no_part() -> None:
    encoder = ColumnEncoder([feature("sold", Datetime(nullable=True))])
    assert np.isnan(encoder.encode(np.array([[np.nan]]))).all()


def test_missing_level_has_a_code_and_other_missing_values_stay() -> None:
    types = (Number(nullable=True), TOWN, Boolean(nullable=True))
    encoder = ColumnEncoder([feature(f"x{number}", each) for number, each in enumerate(types)])
    rows = np.array([[np.nan] * 3, [1.5, 1.0, 0.0], [2.0, UNKNOWN_LEVEL, 1.0]])
    expected = [[np.nan, -1.0, np.nan], [1.5, 1.0, 0.0], [2.0, -1.0, 1.0]]
    assert np.array_equal(encoder.encode(rows), expected, equal_nan=True)


def test_rows_of_numbers_are_their_own_columns() -> None:
    rows = np.array([[1.0, np.nan]])
    encoder = ColumnEncoder([feature("a", Number()), feature("b", Number(nullable=True))])
    assert encoder.encode(rows) is rows
    assert Expansion.of((Number(), Number(nullable=True))).expand(rows) is rows


def test_each_code_becomes_an_indicator_after_the_numbers() -> None:
    expansion = Expansion.of((TOWN, Number(), HEATING, Datetime(nullable=True)))
    assert expansion.columns == 7
    assert expansion.kept == (1, 3, 4, 5, 6)
    assert expansion.nullable == (3, 4, 5, 6)
    assert expansion.indicators == ((0, 0), (0, 1), (0, -1), (2, 0), (2, 1))
    assert expansion.is_nullable.tolist() == [False, *[True] * 4, *[False] * 5]
    columns = np.array([[1.0, 0.5, 1.0, *[np.nan] * 4], [-1.0, 0.25, 0.0, 2020.0, 1.0, 2.0, 3.0]])
    expected = [
        [0.5, *[np.nan] * 4, 0.0, 1.0, 0.0, 0.0, 1.0],
        [0.25, 2020.0, 1.0, 2.0, 3.0, 0.0, 0.0, 1.0, 1.0, 0.0],
    ]
    assert np.array_equal(expansion.expand(columns), expected, equal_nan=True)
