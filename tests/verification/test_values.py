"""Random values of features, and the forms in which `verify` sends them."""

import json
import math
import random

import pytest

from housectl.contract.cells import InvalidCellError, read_cell
from housectl.contract.column_types import (
    Boolean,
    Category,
    ColumnType,
    Datetime,
    Number,
    UnknownLevels,
)
from housectl.contract.schema import Feature, column_record
from housectl.verification.feature_values import ValueSampler
from housectl.verification.mistakes import mistakes_of
from housectl.verification.value_writer import ValueWriter

LEVELS = ("Ulm", "Bad Orb", "x" * 200)
COLUMNS: dict[str, ColumnType] = {
    "number": Number(nullable=True),
    "boolean": Boolean(nullable=True),
    "category": Category(levels=LEVELS, nullable=True),
    "refusing category": Category(levels=LEVELS, unknown_levels=UnknownLevels.REFUSE),
    "grouping category": Category(levels=LEVELS, unknown_levels=UnknownLevels.GROUP),
    "date": Datetime(nullable=True),
    "day": Datetime(format="%d.%m.%Y"),
    "date with offset": Datetime(format="%Y-%m-%d %H:%M:%S%z"),
    "year": Datetime(format="%Y"),
}
CODES = {"boolean": 1, "category": 2, "refusing category": 2, "grouping category": 3}


def sampler_of(name: str, rng: random.Random) -> ValueSampler:
    low, high = (-6e10, 2e9) if isinstance(COLUMNS[name], Datetime) else (0, CODES.get(name, 9.5))
    column = column_record(COLUMNS[name])
    return ValueSampler(Feature(name="x", minimum=low, maximum=high, column=column), rng)


def is_same(first: float, second: float) -> bool:
    return first == second or (math.isnan(first) and math.isnan(second))


@pytest.mark.parametrize("name", COLUMNS)
def test_written_value_is_read_as_the_same_double(name: str) -> None:
    rng = random.Random(1)
    column, values, writer = COLUMNS[name], sampler_of(name, rng), ValueWriter(rng)
    drawn = [draw() for _ in range(300) for draw in (values.inside, values.outside)]
    for value in (*drawn, *values.special):
        cell = json.loads(json.dumps(writer.write(column, value), allow_nan=False))
        assert is_same(read_cell(column, cell), value)
    assert any(map(math.isnan, drawn)) is column.nullable
    assert len(set(drawn)) > 1


def test_special_values_are_levels_booleans_unknown_and_missing() -> None:
    special = {name: sampler_of(name, random.Random(1)).special for name in COLUMNS}
    assert [*map(str, special["category"])] == ["0.0", "1.0", "2.0", "-1.0", "nan"]
    assert special["refusing category"] == (0, 1, 2)
    assert special["grouping category"] == (0, 1, 2, 3)
    assert [*map(str, special["boolean"])] == ["0.0", "1.0", "nan"]
    assert [*map(str, special["number"])] == ["nan"]
    assert special["day"] == ()


@pytest.mark.parametrize("name", COLUMNS)
def test_mistakes_are_refused(name: str) -> None:
    rng = random.Random(1)
    column, values = COLUMNS[name], sampler_of(name, rng)
    mistakes = mistakes_of(column)
    assert ("null" in mistakes) is not column.nullable
    for break_value in mistakes.values():
        for _ in range(20):
            with pytest.raises(InvalidCellError):
                read_cell(column, break_value(values.inside(), rng))


def test_unknown_levels_resemble_levels_and_differ() -> None:
    rng = random.Random(1)
    column = Category(levels=("a", "b "))
    texts = {ValueWriter(rng).unknown_level(column) for _ in range(200)}
    assert {"A", "a_"} <= texts
    assert texts.isdisjoint(column.levels)
