"""Types of features, the format of the data file, and the split by time in housectl.yaml."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from housectl.contract.column_types import Boolean, Category, Datetime, Number, UnknownLevels
from housectl.contract.data.csv_format import DEFAULT_FORMAT, CsvFormat
from housectl.contract.recipe import Split, SplitMethod
from housectl.contract.schema import Transform
from housectl.errors import ProjectError
from housectl.project.config import ProjectConfig, load_config

TYPED = """\
name: houses
data: houses.csv
csv: {separator: ";", decimal: ",", thousands: ".", encoding: latin-1, skip_lines: 2, \
footer_lines: 1, missing: ["", NA]}
target: {name: price, transform: log}
features:
  area: {min: 12, max: 300, unit: m2}
  rooms: {type: number, min: 1, max: 9, nullable: true}
  town: {type: category, levels: [Ulm, yes, "1"], unknown_levels: group, nullable: true}
  pool: {type: boolean, description: For swimming}
  sold: {type: datetime, format: "%d.%m.%Y", min: "01.02.2020", max: 31.12.2024}
  listed: {type: datetime, min: 2020-02-01, max: 2020-02-01T12:00:00+01:00}
exclude: {day: weekday}
split: {method: time, column: sold, holdout: 0.3}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "housectl.yaml"


def load(file: Path, text: str) -> ProjectConfig:
    file.write_text(text, encoding="utf-8")
    return load_config(file)


def seconds(*moment: int) -> float:
    year, month, day, *time = moment
    return datetime(year, month, day, *time, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]


def test_types_become_the_schema(file: Path) -> None:
    schema = load(file, TYPED).schema_record
    assert [(each.type, each.minimum, each.maximum) for each in schema.features] == [
        (Number(), 12, 300),
        (Number(nullable=True), 1, 9),
        (
            Category(levels=("Ulm", "yes", "1"), unknown_levels=UnknownLevels.GROUP, nullable=True),
            0,
            3,
        ),
        (Boolean(), 0, 1),
        (Datetime(format="%d.%m.%Y"), seconds(2020, 2, 1), seconds(2024, 12, 31)),
        (Datetime(), seconds(2020, 2, 1), seconds(2020, 2, 1, 11)),
    ]
    assert schema.features[3].description == "For swimming"
    assert schema.target.transform is Transform.LOG


def test_format_and_split_become_records(file: Path) -> None:
    project = load(file, TYPED)
    assert project.csv_format == CsvFormat(
        separator=";",
        decimal=",",
        thousands=".",
        encoding="latin-1",
        skip_lines=2,
        footer_lines=1,
        missing=("", "NA"),
    )
    assert project.split_record == Split(method=SplitMethod.TIME, column="sold", holdout=0.3)


def test_numeric_project_has_the_records_of_earlier_versions(file: Path) -> None:
    project = load(
        file,
        "name: a\ndata: a.csv\ntarget: {name: y}\nfeatures: {x: {min: 0, max: 1}}\n",
    )
    assert b'"column"' not in project.schema_record.to_json()
    assert b"transform" not in project.schema_record.to_json()
    assert b'"column"' not in project.split_record.to_json()
    assert project.csv_format == DEFAULT_FORMAT


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("min: 12, ", "", "6: features.area.min: found nothing, expected a value"),
        (
            "unit: m2",
            "levels: [a]",
            "6: features.area.levels: found an unknown field, expected one",
        ),
        ("unit: m2", "nulable: true", "do you mean nullable?"),
        (
            "type: number",
            "type: real",
            "7: features.rooms.type: found 'real', expected 'number', 'boolean', 'category' or",
        ),
        ("type: number", "type: [number]", "7: features.rooms.type: found ['number'], expected"),
        ("type: number", "type: ~", "7: features.rooms.type: found None, expected 'number'"),
        ("nullable: true}\n  town", "nullable: 1}\n  town", "7: features.rooms.nullable: found 1"),
        ('levels: [Ulm, yes, "1"], ', "", "8: features.town.levels: found nothing, expected a v"),
        ('[Ulm, yes, "1"]', "[]", "8: features.town.levels: found [], expected 1 to 50 levels"),
        ('[Ulm, yes, "1"]', "[Ulm, 1]", "8: features.town.levels.1: found 1, expected a valid str"),
        ('[Ulm, yes, "1"]', "[Ulm, a, Ulm]", "levels.2: found 'Ulm', expected each level once"),
        ('[Ulm, yes, "1"]', "[' Ulm']", "levels.0: found ' Ulm', expected a text without spaces"),
        ('[Ulm, yes, "1"]', "['']", "8: features.town.levels.0: found ''"),
        ('[Ulm, yes, "1"]', f"[{'a' * 201}]", "8: features.town.levels.0: found"),
        ('[Ulm, yes, "1"]', str(list(map(str, range(51)))), "8: features.town.levels: found"),
        ("unknown_levels: group", "unknown_levels: drop", "found 'drop', expected 'missing', 'ref"),
        ("unknown_levels: group", "min: 1", "8: features.town.min: found an unknown field"),
        ("description: For swimming", "max: 1", "9: features.pool.max: found an unknown field"),
        (
            'min: "01.02.2020"',
            "min: 2020-02-01",
            "10: features.sold.min: found '2020-02-01', expec",
        ),
        ('min: "01.02.2020"', "min: 1", "10: features.sold.min: found 1, expected a valid string"),
        ("31.12.2024", "31.12.2019", "10: features.sold: found"),
        (
            '"%d.%m.%Y"',
            '"%d.%m.%Q"',
            "10: features.sold.format: found '%d.%m.%Q', expected iso8601 or a",
        ),
        (
            '"%d.%m.%Y"',
            '"%d.%d.%Y"',
            "10: features.sold.format: found '%d.%d.%Y', expected iso8601 or a",
        ),
        ('separator: ";"', 'separator: ";;"', "3: csv.separator: found ';;', expected"),
        (
            'separator: ";"',
            "separator: a",
            "3: csv.separator: found 'a', expected a separator such",
        ),
        ('separator: ";"', "separator: '\"'", "3: csv.separator: found '\"', expected a separator"),
        (
            'separator: ";"',
            "delimiter: ;",
            "3: csv.delimiter: found an unknown field, expected one",
        ),
        ('decimal: ","', 'decimal: ";"', "3: csv.decimal: found ';', expected text that matches"),
        ('thousands: "."', 'thousands: ","', "3: csv.thousands: found ',', expected another mark"),
        (
            'thousands: "."',
            'thousands: "0"',
            "3: csv.thousands: found '0', expected a mark such as",
        ),
        ("latin-1", "latin-99", "3: csv.encoding: found 'latin-99', expected an encoding such as"),
        ("latin-1", "rot13", "3: csv.encoding: found 'rot13', expected an encoding such as utf-8"),
        (
            "latin-1",
            '"a\\0"',
            "3: csv.encoding: found 'a\\x00', expected an encoding such as utf-8",
        ),
        ("skip_lines: 2", "skip_lines: -1", "3: csv.skip_lines: found -1, expected a number"),
        ('missing: ["", NA]', "missing: NA", "3: csv.missing: found 'NA', expected"),
        (
            'missing: ["", NA]',
            "missing: [-999]",
            "3: csv.missing.0: found -999, expected a valid s",
        ),
        (
            "transform: log",
            "transform: square",
            "4: target.transform: found 'square', expected 'lo",
        ),
        (
            "column: sold",
            "column: town",
            "13: split.column: found 'town', expected one of area, ro",
        ),
        ("column: sold", "column: price", "13: split.column: found 'price', expected one of area"),
        ("column: sold", "column: sol", "do you mean sold?"),
        ("column: sold, ", "", "13: split.column: found nothing, expected a column with the time"),
        (
            "method: time",
            "method: hash",
            "split.column: found 'sold', expected nothing without met",
        ),
        (
            "method: time",
            "method: date",
            "split.method: found 'date', expected 'hash', 'hash-features'",
        ),
    ],
)
def test_problem_is_reported_with_line_and_field(
    file: Path, old: str, new: str, expected: str
) -> None:
    assert old in TYPED
    with pytest.raises(ProjectError) as caught:
        load(file, TYPED.replace(old, new))
    (problem,) = caught.value.message.splitlines()[1:]
    assert problem.strip().startswith("housectl.yaml:")
    assert expected in problem


def test_all_problems_are_reported_at_once(file: Path) -> None:
    text = (
        TYPED.replace("min: 12", "min: a")
        .replace("[Ulm,", "[Ulm, Ulm,")
        .replace("2020-02-01,", "x,")
    )
    with pytest.raises(ProjectError) as caught:
        load(file, text.replace("skip_lines: 2", "skip_lines: x"))
    fields = [line.split(": ")[1] for line in caught.value.message.splitlines()[1:]]
    assert fields == [
        "csv.skip_lines",
        "features.area.min",
        "features.town.levels.1",
        "features.listed.min",
    ]
