"""Traps in data, found by each check and by none of the others."""

from array import array
from collections.abc import Mapping

import numpy as np
import pytest

from housectl.contract.column_types import Category, ColumnType, Datetime, Number
from housectl.contract.data.table import Table
from housectl.contract.recipe import Split, SplitMethod
from housectl.contract.schema import Feature, Schema, Target, Transform, column_record
from housectl.data_checks.checks import TRAPS, CheckedData
from housectl.data_checks.sample import Floats

ROWS = 400
LEVELS = Category(levels=tuple("abcdefgh"))


def generator() -> np.random.Generator:
    return np.random.default_rng(4)


def make_table(columns: Mapping[str, Floats]) -> Table:
    numbers = {name: array("d", values.tolist()) for name, values in columns.items()}
    return Table(numbers=numbers, texts={}, groups=(), times=array("d"), dropped=0)


def plain_columns() -> dict[str, Floats]:
    """Return features of which none gives the target y."""
    rng = generator()
    area, rooms = rng.uniform(20, 200, ROWS).round(1), rng.integers(1, 9, ROWS) * 1.0
    score = rng.normal(size=ROWS)
    price = (30 * area + 500 * rooms + 100 * score + rng.normal(scale=300, size=ROWS)).round(2)
    return {"area": area, "rooms": rooms, "score": score, "y": price}


def problems_of(
    columns: Mapping[str, Floats],
    types: Mapping[str, ColumnType] | None = None,
    *,
    split: Split | None = None,
    transform: bool = False,
) -> dict[str, list[str]]:
    """Return the messages of each trap that was found."""
    types = types or {}
    schema = Schema(
        features=tuple(
            Feature(
                name=name,
                minimum=0.0,
                maximum=1.0,
                column=column_record(
                    types.get(name, Number(nullable=bool(np.isnan(values).any())))
                ),
            )
            for name, values in columns.items()
            if name != "y"
        ),
        target=Target(name="y", **({"transform": Transform.LOG} if transform else {})),
    )
    data = CheckedData.of(schema, make_table(columns), split or Split())
    found = {name: [problem.message for problem in find(data)] for name, find in TRAPS.items()}
    return {name: messages for name, messages in found.items() if messages}


def test_usual_data_have_no_problem() -> None:
    assert problems_of(plain_columns()) == {}


def with_gaps(values: Floats) -> Floats:
    return np.where(np.arange(ROWS) % 7 == 0, np.nan, values)


def bands(values: Floats) -> Floats:
    return np.searchsorted(np.quantile(values, [0.2, 0.5, 0.9]), values) * 1.0


COPIES = {
    "unit": (lambda y: (y * 0.92).round(2), "almost exactly, in another unit"),
    "negative": (lambda y: 5 - y, "almost exactly, in another unit"),
    "gaps": (lambda y: with_gaps(y / 1e30), "almost exactly, in another unit"),
    "logarithm": (lambda y: np.log(y).round(5), "almost exactly, transformed or rounded"),
    "inverse": (lambda y: 1 / y, "almost exactly, transformed or rounded"),
    "rounded": (lambda y: y.round(-2), "almost exactly, transformed or rounded"),
    "bands": (bands, "as bands: each of its values has its own range of the target"),
}


@pytest.mark.parametrize("name", COPIES)
def test_copy_of_the_target_is_named(name: str) -> None:
    copy, relation = COPIES[name]
    columns = plain_columns()
    found = problems_of({"copy": copy(columns["y"]), **columns})
    assert found == {"leaked target": [f"copy gives y {relation}."]}


def test_category_that_equals_the_target_is_named() -> None:
    codes = generator().integers(0, 8, ROWS) * 1.0
    columns = plain_columns() | {
        "kind": codes,
        "y": np.array([7, 3, 90, 4, 5, 11, 6, 2.5])[codes.astype(int)],
    }
    found = problems_of(columns, {"kind": LEVELS})
    assert found["leaked target"] == [
        "kind gives y as a code: each of its values has one value of the target."
    ]


def test_category_with_different_means_is_no_copy() -> None:
    codes = generator().integers(0, 8, ROWS) * 1.0
    columns = plain_columns()
    columns |= {"kind": codes, "y": columns["y"] + 2000 * codes}
    assert problems_of(columns, {"kind": LEVELS}) == {}


COMBINATIONS = {
    "sum": (lambda a, b: a + b, "a linear combination of one, other"),
    "difference": (lambda a, b: (3 * a - b).round(2), "a linear combination of one, other"),
    "product": (lambda a, b: (a * b).round(2), "a product or ratio of one, other"),
    "ratio": (lambda a, b: a / b, "a product or ratio of one, other"),
}


@pytest.mark.parametrize("name", COMBINATIONS)
@pytest.mark.parametrize("others", [0, 150])
def test_combination_of_two_features_is_named(name: str, others: int) -> None:
    combine, relation = COMBINATIONS[name]
    rng = generator()
    one, other = rng.uniform(1, 9, ROWS).round(3), rng.uniform(2, 5, ROWS).round(3)
    noise = {f"x{number}": rng.normal(size=ROWS) for number in range(others)}
    found = problems_of({**noise, "one": one, "other": other, "y": combine(one, other)})
    assert found == {"leaked target": [f"y is almost exactly {relation}."]}


def test_combination_of_many_features_names_six() -> None:
    rng = generator()
    parts = {f"part{number}": rng.normal(size=ROWS) for number in range(9)}
    found = problems_of({**parts, "y": sum(parts.values(), np.zeros(ROWS))})
    (message,) = found["leaked target"]
    assert message.endswith("of part0, part1, part2, part3, part4, part5 and 3 more.")


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1e20, 1e70])
def test_unit_of_the_target_does_not_matter(scale: float) -> None:
    columns = plain_columns()
    assert problems_of(columns | {"y": columns["y"] * scale}) == {}
    leaked = columns | {"copy": columns["y"], "y": columns["y"] * scale}
    assert problems_of(leaked) == {
        "leaked target": ["copy gives y almost exactly, in another unit."]
    }


def test_equal_rows_prove_no_relation() -> None:
    columns = {name: np.tile(values[:40], 10) for name, values in plain_columns().items()}
    assert problems_of(columns) == {
        "equal rows": [
            (
                "360 of 400 rows have the features and the y of an earlier row; split and folds "
                "keep equal rows together."
            )
        ]
    }


@pytest.mark.parametrize("classes", [2, 5, 10])
def test_target_with_few_values_looks_like_classes(classes: int) -> None:
    columns = plain_columns()
    found = problems_of(columns | {"y": columns["y"] // 1e6 + np.arange(ROWS) % classes})
    assert found == {
        "target values": [
            (
                f"y has only {classes} different values: this looks like classes; "
                "housectl predicts numbers."
            )
        ]
    }


def test_heavily_skewed_target_is_noted_until_its_logarithm_is_used() -> None:
    columns = plain_columns()
    skewed = columns | {"y": np.exp(columns["score"] * 2 + generator().normal(size=ROWS))}
    (message,) = problems_of(skewed)["target values"]
    assert message.startswith("y is heavily skewed: its largest value is")
    assert problems_of(skewed, transform=True) == {}
    assert problems_of(skewed | {"y": skewed["y"] - 1}) == {}


@pytest.mark.parametrize("sentinel", [-1.0, -999.0, 999999999.0])
def test_sentinel_in_the_target_is_counted(sentinel: float) -> None:
    columns = plain_columns()
    y = np.where(np.arange(ROWS) % 100 == 0, sentinel, columns["y"] / 1e6)
    (message,) = problems_of(columns | {"y": y})["target values"]
    assert message.startswith(f"4 rows have the y {int(sentinel)}, far from all others")


def test_mostly_missing_feature_is_named() -> None:
    columns = plain_columns()
    columns["score"] = np.where(np.arange(ROWS) % 5 == 0, columns["score"], np.nan)
    assert problems_of(columns) == {"missing values": ["score is missing in 80% of the rows."]}


def test_more_features_than_rows_are_noted() -> None:
    rng = generator()
    columns = {f"x{number}": rng.normal(size=120) for number in range(130)}
    assert problems_of(columns | {"y": rng.normal(size=120)}) == {
        "features and rows": [
            "There are 130 features for 120 rows: a model can learn each row by heart."
        ]
    }


DAYS = np.arange(ROWS) * 86400.0
EARLY_TIES = np.where(np.arange(ROWS) % 25 == 3, DAYS - 5 * 86400, DAYS)


@pytest.mark.parametrize(
    ("name", "times", "kind"),
    [
        ("sold", DAYS, Datetime()),
        ("sold", DAYS[::-1], Datetime()),
        ("sold", EARLY_TIES, Datetime()),
        ("built_year", 1900 + np.arange(ROWS) // 8 * 1.0, Number()),
    ],
)
def test_rows_in_order_of_a_time_call_for_a_split_by_time(
    name: str, times: Floats, kind: ColumnType
) -> None:
    columns = plain_columns() | {name: times}
    found = problems_of(columns, {name: kind})
    assert list(found) == ["time order"]
    assert found["time order"][0].startswith(f"The rows are in the order of {name}, but the split")
    by_time = Split(method=SplitMethod.TIME, column=name)
    assert problems_of(columns, {name: kind}, split=by_time) == {}


@pytest.mark.parametrize(
    ("name", "times", "kind"),
    [
        ("sold", generator().permutation(DAYS), Datetime()),
        ("sold", DAYS // 1e7, Datetime()),
        ("sold", DAYS, Datetime(nullable=True)),
        ("distance", DAYS, Number()),
        ("year", 1950 + np.arange(ROWS) % 40 * 1.0, Number()),
    ],
)
def test_other_columns_are_no_reason_for_a_split_by_time(
    name: str, times: Floats, kind: ColumnType
) -> None:
    assert problems_of(plain_columns() | {name: times}, {name: kind}) == {}


def test_large_tables_are_sampled() -> None:
    rng = generator()
    columns = {f"x{number}": rng.normal(size=60_000) for number in range(3)}
    found = problems_of(columns | {"y": columns["x0"] - columns["x2"]})
    assert found == {"leaked target": ["y is almost exactly a linear combination of x0, x2."]}
