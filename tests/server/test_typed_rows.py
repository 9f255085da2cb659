"""Rows with categories, booleans, dates and missing values, as request bodies."""

import json
import math
import random
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from housectl.contract.cells import InvalidCellError, read_cell
from housectl.contract.column_types import Category, UnknownLevels
from housectl.contract.schema import Feature, Schema, Target
from housectl_server.model.row_errors import InvalidRowError, UnreadableRowError
from housectl_server.model.rows import RowParser
from tests.server.typed_bundles import HOME, HOMES, MAY_2024

ROW: dict[str, object] = dict(HOME)
DOUBLES = [80.0, 3.0, 0.0, 1.0, 0.0, 1.0, MAY_2024, 86_400.0]
NULLABLE = {"rooms", "town", "pool", "built"}


@pytest.fixture(scope="module")
def parser() -> RowParser:
    return RowParser(HOMES, example=tuple(HOME.values()))


def parsed(parser: RowParser, changes: dict[str, object]) -> dict[str, float]:
    """Return the doubles of the row with some other values, by feature."""
    values = parser.parse(json.dumps(ROW | changes).encode())
    return dict(zip(ROW, values, strict=True))


def refusal(parser: RowParser, body: bytes) -> dict[str, str]:
    """Return the problem of each refused field."""
    with pytest.raises(InvalidRowError) as caught:
        parser.parse(body)
    return {each.field: each.problem for each in caught.value.violations}


def problem_of(parser: RowParser, name: str, value: str) -> str:
    """Return the problem of a field with a value, which is written as JSON."""
    members = [f"{json.dumps(key)}: {json.dumps(each)}" for key, each in ROW.items() if key != name]
    body = ", ".join((*members, f'"{name}": {value}'))
    problems = refusal(parser, ("{" + body + "}").encode())
    assert list(problems) == [name]
    return problems[name]


def test_values_of_each_type_are_read(parser: RowParser) -> None:
    assert parser.parse(json.dumps(ROW).encode()) == DOUBLES
    assert parser.parse(json.dumps(ROW, ensure_ascii=False).encode()) == DOUBLES
    assert parsed(parser, {"pool": False, "town": "Bad Orb, Hessen"})["town"] == 1


def test_null_and_omission_are_missing_values(parser: RowParser) -> None:
    nulls = parser.parse(json.dumps(ROW | dict.fromkeys(NULLABLE)).encode())
    required = {name: value for name, value in ROW.items() if name not in NULLABLE}
    omitted = parser.parse(json.dumps(required).encode())
    for values in (nulls, omitted):
        missing = {name for name, value in zip(ROW, values, strict=True) if math.isnan(value)}
        assert missing == NULLABLE


@pytest.mark.parametrize("name", sorted(set(ROW) - NULLABLE))
def test_missing_value_is_refused_with_its_field(parser: RowParser, name: str) -> None:
    assert problem_of(parser, name, "null") == "is null"
    omitted = {key: value for key, value in ROW.items() if key != name}
    assert refusal(parser, json.dumps(omitted).encode()) == {name: "is missing"}


def test_unknown_level_is_missing_refused_or_grouped(parser: RowParser) -> None:
    assert parsed(parser, {"town": "Bonn"})["town"] == -1
    assert parsed(parser, {"agent": "B"})["agent"] == 1
    assert problem_of(parser, "heating", '"coal"') == "'coal' is not one of its levels"


def test_level_is_read_as_it_is_written(parser: RowParser) -> None:
    assert parsed(parser, {"town": " Ulm "})["town"] == 0
    assert parsed(parser, {"town": "ulm"})["town"] == -1
    assert parsed(parser, {"town": ""})["town"] == -1


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("area", '"80"', "is not a number"),
        ("area", "true", "is not a number"),
        ("rooms", '"3"', "is not a number"),
        ("rooms", "NaN", "is not finite"),
        ("rooms", "1e39", "is too large for float32"),
        ("town", "1", "is not a text"),
        ("town", "NaN", "is not a text"),
        ("town", '["Ulm"]', "is not a text"),
        ("town", '{"Ulm": 1}', "is not a text"),
        ("town", "true", "is not a text"),
        ("town", json.dumps("x" * 201), "is longer than 200 characters"),
        ("heating", json.dumps("ö" * 201), "is longer than 200 characters"),
        ("pool", "1", "is not true or false"),
        ("pool", '"true"', "is not true or false"),
        ("pool", "[]", "is not true or false"),
        ("sold", "1714521600", "is not a text"),
        ("sold", '"May"', "'May' is not an ISO 8601 date"),
        ("sold", '"0000-01-01"', "'0000-01-01' is not an ISO 8601 date"),
        ("sold", '"10000-01-01"', "'10000-01-01' is not an ISO 8601 date"),
        ("sold", '"2024-02-30"', "'2024-02-30' is not an ISO 8601 date"),
        ("sold", '"2024-05-01T00:00+24:00"', "'2024-05-01T00:00+24:00' is not an ISO 8601 date"),
        ("built", '"1.1.70"', "'1.1.70' is not a date of the form %d.%m.%Y"),
        ("built", json.dumps("1" * 201), "is longer than 200 characters"),
    ],
)
def test_invalid_value_is_refused_with_its_field(
    parser: RowParser, name: str, value: str, problem: str
) -> None:
    assert problem_of(parser, name, value) == problem


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2024-05-01T00:00:00Z", 0),
        ("2024-05-01T02:00:00+02:00", 0),
        ("2024-04-30T12:00-12:00", 0),
        ("2024-05-01 00:00:01.5", 1.5),
        ("20240501T010203", 3723),
    ],
)
def test_dates_have_offsets_and_fractions(parser: RowParser, text: str, seconds: float) -> None:
    assert parsed(parser, {"sold": text})["sold"] == MAY_2024 + seconds


def test_dates_at_both_ends_of_time_are_read(parser: RowParser) -> None:
    zone = timezone(timedelta(hours=14))
    for moment in (datetime.min.replace(tzinfo=zone), datetime.max.replace(tzinfo=zone)):
        value = parsed(parser, {"sold": moment.isoformat()})["sold"]
        assert value == moment.timestamp()


def test_all_invalid_fields_are_refused_together(parser: RowParser) -> None:
    row = {"area": None, "town": 1, "heating": "coal", "pool": 0, "sold": "?", "lift": None}
    assert refusal(parser, json.dumps(row).encode()) == {
        "area": "is null",
        "town": "is not a text",
        "heating": "'coal' is not one of its levels",
        "agent": "is missing",
        "pool": "is not true or false",
        "sold": "'?' is not an ISO 8601 date",
        "lift": "is unknown",
    }


def test_refusal_describes_expected_values(parser: RowParser) -> None:
    with pytest.raises(InvalidRowError) as caught:
        parser.parse(json.dumps({name: [] for name in ROW}).encode())
    assert {each.field: each.expected for each in caught.value.violations} == {
        "area": "a finite number; in training 12 to 300 m2",
        "rooms": "a finite number, or null; in training 1 to 9",
        "town": "a text (other texts count as missing), or null; "
        "in training 'Ulm', 'Bad Orb, Hessen'",
        "heating": "a text (other texts are refused); in training 'gas', 'öl'",
        "agent": "a text (other texts form one group); in training 'A'",
        "pool": "true or false, or null",
        "sold": "a date as text (ISO 8601); in training 1970-01-01 to 2024-05-01",
        "built": "a date as text (%d.%m.%Y), or null; in training 01.01.1970 to 01.05.2024",
    }


@pytest.mark.parametrize(
    "members",
    [
        '"town": "Ulm", "town": "Ulm"',
        '"town": "Ulm", "town": null',
        '"town": null, "town": null',
        '"town": "Ulm", "\\u0074own": 1, "town": "Ulm"',
        '"pool": true, "pool": false',
    ],
)
def test_repeated_key_is_refused(parser: RowParser, members: str) -> None:
    rest = {name: value for name, value in ROW.items() if name not in {"town", "pool"}}
    for others in (rest, rest | {"heating": "öl ", "agent": 'a "quoted" text'}):
        body = f"{{{members}, {json.dumps(others)[1:]}".encode()
        with pytest.raises((UnreadableRowError, InvalidRowError), match="occurs twice"):
            parser.parse(body)


def test_quotes_in_texts_are_accepted(parser: RowParser) -> None:
    assert parsed(parser, {"agent": '"' * 100, "town": '"town": "Ulm"'})["agent"] == 1


def test_text_with_half_of_a_surrogate_pair_is_unreadable(parser: RowParser) -> None:
    body = json.dumps(ROW | {"town": "\ud800"}).encode()
    with pytest.raises(UnreadableRowError):
        parser.parse(body)


def test_many_long_levels_are_shortened_in_refusals() -> None:
    levels = tuple(f"{number:0200}" for number in range(50))
    column = Category(levels=levels, unknown_levels=UnknownLevels.REFUSE)
    feature = Feature(name="code", minimum=0, maximum=49, column=column)
    schema = Schema(features=(feature,), target=Target(name="price"))
    with pytest.raises(InvalidRowError) as caught:
        RowParser(schema, example=levels[:1]).parse(b'{"code": "x"}')
    (violation,) = caught.value.violations
    assert violation.problem == "'x' is not one of its levels"
    assert violation.expected.endswith("… (50 levels, see /docs)")
    assert len(violation.expected) < 1000


_LITERALS = (
    *("null", "true", "false", "0", "-1.5", "1e400", "-1e39", "3.5e38", "NaN", "-Infinity"),
    *("[]", "{}", '["Ulm"]', "9" * 400, "1e-400", "-0.0"),
)
_TEXTS = (
    *("Ulm", "ulm", " Ulm\t", "", "gas", "o\u0308l", "A", "\x00", "\ufeffUlm", "\u00a0Ulm", "😀"),
    *("x" * 200, "x" * 201, "öl" * 101, "true", "1", "NaN", "null", "01.02.2020", "31.02.2020"),
    *("0000-01-01", "0001-01-01", "9999-12-31T23:59:59.999999", "10000-01-01", "2024-05-01T25:00"),
    *(
        "0001-01-01T00:00+23:59",
        "9999-12-31T23:59-23:59",
        "2024-06-30T23:59:60",
        "\u0660\u0661.02.2020",
    ),
)


def random_members(rng: random.Random) -> dict[str, str]:
    """Return the JSON of most fields, which is usual, another text, or of another type."""
    members = {}
    for name, usual in HOME.items():
        text = json.dumps(rng.choice(_TEXTS), ensure_ascii=bool(rng.getrandbits(1)))
        choices = (json.dumps(usual), text, rng.choice(_LITERALS), None)
        choice = rng.choices(choices, weights=(14, 3, 1, 1))[0]
        if choice is not None:
            members[name] = choice
    return members


def test_random_rows_are_read_as_their_cells(parser: RowParser) -> None:
    rng = random.Random(1)
    accepted = 0
    for _ in range(3000):
        members = random_members(rng)
        body = "{" + ", ".join(f'"{name}": {value}' for name, value in members.items()) + "}"
        cells = json.loads(body)
        doubles, invalid = {}, set()
        for feature in HOMES.features:
            try:
                doubles[feature.name] = read_cell(feature.type, cells.get(feature.name))
            except InvalidCellError:
                invalid.add(feature.name)
        if invalid:
            assert set(refusal(parser, body.encode())) == invalid
        else:
            assert str(parser.parse(body.encode())) == str([*doubles.values()])
            accepted += 1
    assert 200 < accepted < 2800


def test_array_has_doubles_of_its_rows(parser: RowParser) -> None:
    rows = [dict(ROW), ROW | {"town": None, "agent": "B"}, ROW | {"owner": 'a "quoted" [{text}]'}]
    del rows[0]["rooms"]
    table = parser.parse_array(json.dumps(rows).encode())
    alone = [parser.parse(json.dumps(row).encode()) for row in rows]
    np.testing.assert_array_equal(table, alone)
    assert parser.parse_array(b" [] ").shape == (0, len(HOMES.features))


def test_array_error_names_row_and_field(parser: RowParser) -> None:
    body = json.dumps([ROW, ROW, ROW | {"heating": "coal", "area": None}, {}]).encode()
    with pytest.raises(InvalidRowError) as caught:
        parser.parse_array(body)
    assert str(caught.value) == (
        "The rows are invalid: row 2: area is null; row 2: heating 'coal' is not one of its levels."
    )
    assert [(each.row, each.field) for each in caught.value.violations] == [
        (2, "area"),
        (2, "heating"),
    ]


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (b"[{}, 1]", InvalidRowError, "row 0: area is missing"),
        (b"[[1, 2]]", InvalidRowError, "Row 0 is not a JSON object"),
        (b"[{}", UnreadableRowError, "not JSON"),
        (
            json.dumps([ROW]).encode()[:-2] + b', "area": 1}]',
            UnreadableRowError,
            "area occurs twice",
        ),
    ],
)
def test_invalid_array_is_refused(
    parser: RowParser, body: bytes, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        parser.parse_array(body)
