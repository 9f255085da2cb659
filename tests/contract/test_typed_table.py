"""Typed columns: categories, booleans, dates, missing values, groups and times."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from housectl.contract.column_types import (
    Boolean,
    Category,
    ColumnType,
    Datetime,
    Number,
    UnknownLevels,
)
from housectl.contract.data.canonical_csv import canonical_digest
from housectl.contract.data.csv_format import DEFAULT_FORMAT, CsvFormat
from housectl.contract.data.row_texts import row_texts
from housectl.contract.data.table import Table, read_table
from housectl.contract.inputs import read_inputs, write_inputs
from housectl.contract.recipe import Split, SplitMethod
from housectl.contract.schema import Exclusion, Feature, Schema, Target, column_record
from housectl.errors import DataError
from tests.contract.canonical_form import canonical_csv
from tests.contract.houses import write_file

TOWN = Category(levels=("Ulm", "Bad Tölz", "NA"), nullable=True)
TYPES: Mapping[str, ColumnType] = {
    "area": Number(),
    "rooms": Number(nullable=True),
    "town": TOWN,
    "pool": Boolean(nullable=True),
    "sold": Datetime(format="%d.%m.%Y"),
}
FORMAT = CsvFormat(
    separator=";", decimal=",", thousands=".", encoding="latin-1", missing=("", "NA", "k. A.")
)
HEADER = "id;area;rooms;town;pool;sold;price"
ROWS = (
    "a;1.234,5;3;Ulm;ja;01.02.2020;1.000",
    "b;12;NA; Bad Tölz ;yes;02.02.2020;2.000,5",
    "c;12;k. A.;NA;NA;03.02.2020;3",
    "d;12;;k. A.;F;04.02.2020;4",
    'e;12;2;"Neu; Ulm";0;05.02.2020;5',
    "f;none;2;Ulm;no;06.02.2020;NA",
)


def schema_of(types: Mapping[str, ColumnType] = TYPES, **changed: ColumnType) -> Schema:
    return Schema(
        features=tuple(
            Feature(name=name, minimum=0.0, maximum=1.0, column=column_record(column))
            for name, column in {**types, **changed}.items()
        ),
        target=Target(name="price"),
        exclusions=(Exclusion(name="id", reason="identifier"),),
    )


SCHEMA = schema_of()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rows = [row.replace("ja", "TRUE") for row in ROWS] * 30
    return write_file(tmp_path / "houses.csv", "\n".join([HEADER, *rows]), "latin-1")


def seconds(day: int) -> float:
    return datetime(2020, 2, day, tzinfo=UTC).timestamp()


def first_rows(table: Table, name: str) -> list[float | None]:
    return [None if math.isnan(value) else value for value in table.numbers[name][:5]]


def test_cells_are_read_by_their_types(path: Path) -> None:
    table = read_table(path, SCHEMA, csv_format=FORMAT, group="id", time="sold")
    assert (len(table), table.dropped) == (150, 30)
    assert list(table.numbers) == [*TYPES, "price"]
    assert first_rows(table, "area") == [1234.5, 12, 12, 12, 12]
    assert first_rows(table, "rooms") == [3, None, None, None, 2]
    # The spelling of a missing value can be a level; a text that is no level is kept as text.
    assert first_rows(table, "town") == [0, 1, 2, None, -1]
    assert table.texts["town"][:5] == ("Ulm", "Bad Tölz", "NA", "", "Neu; Ulm")
    assert first_rows(table, "pool") == [1, 1, None, 0, 0]
    assert first_rows(table, "sold") == [seconds(day) for day in range(1, 6)]
    assert first_rows(table, "price") == [1000, 2000.5, 3, 4, 5]
    assert table.groups[:5] == ("a", "b", "c", "d", "e")
    assert table.times == table.numbers["sold"]


def equal(left: Table, right: Table) -> bool:
    def comparable(table: Table) -> tuple[object, ...]:
        numbers = {name: list(map(repr, column)) for name, column in table.numbers.items()}
        return numbers, table.texts, table.groups, table.times, list(row_texts(table))

    return comparable(left) == comparable(right)


def test_canonical_inputs_have_the_same_rows(tmp_path: Path, path: Path) -> None:
    split = Split(group="id")
    inputs = write_inputs(
        tmp_path / "inputs", path, schema=SCHEMA, split=split, seed=1, csv_format=FORMAT
    )
    assert inputs == read_inputs(inputs.path)
    assert inputs.shared.data == canonical_digest(path, SCHEMA, split, FORMAT)
    assert inputs.data.read_text().splitlines()[:7] == [
        "area,rooms,town,pool,sold,price,id",
        "1234.5,3,Ulm,TRUE,01.02.2020,1000,a",
        "12,,Bad Tölz,yes,02.02.2020,2000.5,b",
        "12,,NA,,03.02.2020,3,c",
        "12,,,F,04.02.2020,4,d",
        "12,2,Neu; Ulm,0,05.02.2020,5,e",
        "1234.5,3,Ulm,TRUE,01.02.2020,1000,a",
    ]
    original = read_table(path, SCHEMA, csv_format=FORMAT, group="id", time="sold")
    assert equal(original, read_table(inputs.data, SCHEMA, group="id", time="sold"))


def test_canonical_form_has_the_time_column(tmp_path: Path) -> None:
    rows = "".join(f"{number};1.{number:03},5;{number}\n" for number in range(200))
    path = write_file(tmp_path / "a.csv", "area;id;price\n" + rows)
    schema, split = schema_of({"area": Number()}), Split(method=SplitMethod.TIME, column="id")
    csv_format = CsvFormat(separator=";", decimal=",", thousands=".")
    content = canonical_csv(path, schema, split, csv_format)
    assert content.startswith(b"area,price,id\n0,0,1000.5\n1,1,1001.5\n")
    copy = tmp_path / "copy.csv"
    copy.write_bytes(content)
    original = read_table(path, schema, csv_format=csv_format, time="id")
    assert original.times[:2].tolist() == [1000.5, 1001.5]
    assert read_table(copy, schema, time="id").times == original.times


def test_canonical_form_keeps_line_ends_within_cells(tmp_path: Path) -> None:
    ends = ("\r", "\n", "\r\n")
    rows = "".join(f'{number};"a{ends[number % 3]}b";{number}\n' for number in range(150))
    path = write_file(tmp_path / "a.csv", "area;id;price\n" + rows)
    schema, csv_format = schema_of({"area": Number()}), CsvFormat(separator=";")
    copy = tmp_path / "copy.csv"
    copy.write_bytes(canonical_csv(path, schema, Split(group="id"), csv_format))
    groups = read_table(copy, schema, group="id").groups
    assert groups == read_table(path, schema, csv_format=csv_format, group="id").groups
    assert groups[:3] == ("a\rb", "a\nb", "a\r\nb")


def test_numeric_times_may_begin_with_a_row_without_a_target(tmp_path: Path) -> None:
    rows = "".join(f"{number},{number},{number}\n" for number in range(150))
    path = write_file(tmp_path / "a.csv", "area,id,price\n1,,\n" + rows)
    table = read_table(path, schema_of({"area": Number()}), time="id")
    assert (table.times[:2].tolist(), table.dropped) == ([0.0, 1.0], 1)


def test_columns_that_no_model_uses_are_not_copied(path: Path) -> None:
    content = canonical_csv(path, SCHEMA, Split(), FORMAT)
    assert content.startswith(b"area,rooms,town,pool,sold,price\n")


def test_plain_file_is_its_own_canonical_form(tmp_path: Path) -> None:
    text = "x,area,price\r\n" + "secret,1,2\r\n" * 100
    path = write_file(tmp_path / "houses.csv", text, "utf-8-sig")
    schema = schema_of({"area": Number()})
    assert canonical_csv(path, schema, Split(), DEFAULT_FORMAT) == path.read_bytes()


def test_digest_of_canonical_data_ignores_dialect_and_excluded_columns(tmp_path: Path) -> None:
    schema, split = schema_of({"area": Number()}), Split()
    rows = [("area", "price"), *((f"{number},5", f"{number}.000") for number in range(200))]
    semicolons = "".join(f"{area};x{area};{price}\n" for area, price in rows)
    tabs = "".join(f"{price}\t{area}\r\n" for area, price in rows)
    one, other = (
        CsvFormat(separator=";", decimal=",", thousands="."),
        CsvFormat(separator="\t", decimal=",", thousands=".", encoding="utf-16"),
    )
    files = {
        write_file(tmp_path / "a", semicolons.replace("xarea", "id")): one,
        write_file(tmp_path / "b", tabs, "utf-16"): other,
    }
    assert len({canonical_digest(path, schema, split, each) for path, each in files.items()}) == 1


@pytest.mark.parametrize(
    ("row", "changed", "message", "hint"),
    [
        (
            "a;1;NA;Ulm;T;01.02.2020;1",
            {"rooms": Number()},
            "line 3, column rooms: the value is missing: 'NA'",
            "add `nullable: true` to rooms under `features:`",
        ),
        (
            "a;1;N/A;Ulm;T;01.02.2020;1",
            {},
            "line 32, column rooms: 'N/A' is not a number such as 1.234,5",
            'csv: {missing: ["", "NA", "k. A.", "N/A"]}',
        ),
        (
            "a;1.5;1;Ulm;T;01.02.2020;1",
            {},
            "line 32, column area: '1.5' is not a number such as 1.234,5",
            "name its marks in housectl.yaml",
        ),
        (
            "a;1;1;Köln;T;01.02.2020;1",
            {"town": Category(levels=("Ulm",), unknown_levels=UnknownLevels.REFUSE)},
            "column town: 'Bad Tölz' is not one of its levels",
            "add the text to the levels of town",
        ),
        (
            "a;1;1;Ulm;Unknown;01.02.2020;1",
            {},
            "line 32, column pool: 'Unknown' is not true or false",
            'csv: {missing: ["", "NA", "k. A.", "Unknown"]}',
        ),
        (
            "a;1;1;Ulm;maybe;01.02.2020;1",
            {},
            "line 32, column pool: 'maybe' is not true or false",
            "change the column's `type:`",
        ),
        (
            "a;1;1;Ulm;T;2020-02-01;1",
            {},
            "line 32, column sold: '2020-02-01' is not a date of the form %d.%m.%Y",
            "change the column's `type:`",
        ),
        (
            ";1;1;Ulm;T;01.02.2020;1",
            {},
            "line 32, column id: the cell is empty",
            "Fill the cell, or remove the row.",
        ),
    ],
)
def test_error_has_line_column_and_hint(
    path: Path, row: str, changed: Mapping[str, ColumnType], message: str, hint: str
) -> None:
    lines = path.read_text("latin-1").splitlines()
    lines.insert(31, row)
    write_file(path, "\n".join(lines), "latin-1")
    with pytest.raises(DataError) as caught:
        read_table(path, schema_of(**changed), csv_format=FORMAT, group="id")
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_group_is_a_level_of_its_own(path: Path) -> None:
    town = Category(levels=("Ulm",), unknown_levels=UnknownLevels.GROUP, nullable=True)
    table = read_table(path, schema_of(town=town), csv_format=FORMAT)
    assert first_rows(table, "town") == [0, 1, None, None, 1]


def test_added_level_moves_no_row(path: Path) -> None:
    before = read_table(
        path, schema_of(town=Category(levels=("Ulm",), nullable=True)), csv_format=FORMAT
    )
    town = Category(levels=("Bad Tölz", "Neu; Ulm", "Ulm"), nullable=True)
    after = read_table(path, schema_of(town=town), csv_format=FORMAT)
    assert list(row_texts(before)) == list(row_texts(after))
    assert before.numbers["town"] != after.numbers["town"]


def test_row_texts_of_numbers_are_those_of_earlier_versions(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.csv", "area,price\n" + "0.10,1e3\n" * 100)
    assert row_texts(read_table(path, schema_of({"area": Number()})))[0] == "0.1,1000.0"


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["7", "8.5"], [7, 8.5]),
        (["2020-02-01", "2020-02-02T12:00:00"], [seconds(1), seconds(2) + 43200]),
        (["2020-02-01 00:00:00+01:00", "2020-02-02"], [seconds(1) - 3600, seconds(2)]),
    ],
)
def test_excluded_column_can_be_the_time(
    tmp_path: Path, times: list[str], expected: list[float]
) -> None:
    rows = [f"{times[number % 2]},{number},{number}" for number in range(200)]
    path = write_file(tmp_path / "a.csv", "\n".join(["id,area,price", *rows]))
    table = read_table(path, schema_of({"area": Number()}), time="id")
    assert table.times[:2].tolist() == expected


@pytest.mark.parametrize("text", ["", "yesterday", "01.02.2020"])
def test_each_row_needs_a_time(tmp_path: Path, text: str) -> None:
    rows = ["2020-02-01,1,1"] * 120
    rows[99] = f"{text},1,1"
    path = write_file(tmp_path / "a.csv", "\n".join(["id,area,price", *rows]))
    with pytest.raises(DataError, match="line 101, column id: "):
        read_table(path, schema_of({"area": Number()}), time="id")


def test_missing_time_of_a_nullable_feature_is_rejected(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.csv", "area,price\n" + "1,1\n,1\n" * 100)
    schema = schema_of({"area": Number(nullable=True)})
    assert len(read_table(path, schema)) == 200
    with pytest.raises(DataError, match="line 3, column area: the cell is empty"):
        read_table(path, schema, time="area")


def test_number_can_mean_missing(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.csv", "area,price\n" + "1,1\n-999,1\n" * 100)
    schema, csv_format = schema_of({"area": Number(nullable=True)}), CsvFormat(missing=("-999",))
    table = read_table(path, schema, csv_format=csv_format)
    assert math.isnan(table.numbers["area"][1])
    content = canonical_csv(path, schema, Split(), csv_format)
    assert content.startswith(b"area,price\n1,1\n,1\n")


def test_too_few_rows_with_a_target_are_rejected(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.csv", "area,price\n" + "1,1\n1,\n" * 99)
    message = "has 99 rows of data with a target, and 99 without, but a model needs at least 100"
    with pytest.raises(DataError, match=message):
        read_table(path, schema_of({"area": Number()}))


@pytest.mark.parametrize("count", [1, 255, 256, 257, 1000])
def test_gaps_at_any_position_of_a_chunk(tmp_path: Path, count: int) -> None:
    texts = ["" if number % 7 == count % 7 else f"{number}.25" for number in range(max(count, 100))]
    rows = [f"{text},{number}" for number, text in enumerate(texts)]
    path = write_file(tmp_path / "a.csv", "\n".join(["area,price", *rows]))
    table = read_table(path, schema_of({"area": Number(nullable=True)}))
    expected = [math.nan if not text else float(text) for text in texts]
    assert list(map(repr, table.numbers["area"])) == list(map(repr, expected))
