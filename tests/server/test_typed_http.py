"""A server of a model with categories, booleans, dates and missing values."""

import json
import re
from collections.abc import Iterator
from html import unescape

import pytest

from housectl.contract.bundle import Bundle
from housectl.sealed_model import SealedModel
from tests.server.running import RunningServer, running_bundle
from tests.server.typed_bundles import HOME, HOMES, typed_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return typed_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def server(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("typed")
    with running_bundle(path, bundle) as server:
        yield server


def prediction_of(server: RunningServer, row: object) -> float:
    response = server.predict(row)
    assert response.status_code == 200, response.text
    return float(response.json()["predicted_price"])


def row_schema(server: RunningServer) -> dict[str, dict[str, object]]:
    operation = server.client.get("/openapi.json").json()["paths"]["/predict"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    assert server.predict(content["example"]).status_code == 200
    assert None not in content["example"].values()
    schema: dict[str, dict[str, object]] = content["schema"]["anyOf"][0]
    return schema


def test_golden_rows_are_predicted(server: RunningServer, bundle: Bundle) -> None:
    for golden in bundle.golden.rows:
        row = dict(zip(HOMES.feature_names, golden.row, strict=True))
        assert prediction_of(server, row) == golden.prediction
        present = {name: value for name, value in row.items() if value is not None}
        assert prediction_of(server, present) == golden.prediction


def test_each_value_changes_the_prediction(server: RunningServer) -> None:
    changes: tuple[dict[str, object], ...] = (
        {},
        {"town": "Bad Orb, Hessen"},
        {"town": None},
        {"heating": "gas"},
        {"agent": "B"},
        {"pool": False},
        {"rooms": None},
        {"sold": "1999-05-01"},
        {"built": "01.01.2000"},
    )
    predictions = {prediction_of(server, dict(HOME) | change) for change in changes}
    assert len(predictions) == len(changes)


def test_unknown_level_is_predicted_as_missing(server: RunningServer) -> None:
    missing = prediction_of(server, {**HOME, "town": None})
    assert prediction_of(server, {**HOME, "town": "elsewhere"}) == missing


def test_python_api_predicts_as_the_server_does(server: RunningServer, bundle: Bundle) -> None:
    rows = [dict(HOME), {**HOME, "town": None, "agent": "B"}, {**HOME, "owner": "Smith"}]
    del rows[0]["rooms"]
    assert SealedModel(bundle).predict(rows) == [prediction_of(server, row) for row in rows]


def test_missing_values_are_no_values_out_of_range(server: RunningServer) -> None:
    def counts() -> dict[str, int]:
        out_of_range = server.health()["out_of_range"]
        assert isinstance(out_of_range, dict)
        return out_of_range

    before = counts()
    row = dict(HOME) | {"rooms": None, "pool": None, "agent": "B", "sold": "2030-01-01"}
    for town in ("elsewhere", "ulm", None, "Ulm"):
        prediction_of(server, row | {"town": town})
    difference = {name: count - before[name] for name, count in counts().items()}
    others = dict.fromkeys(HOMES.feature_names, 0)
    assert difference == others | {"town": 2, "sold": 4}


def test_refusal_names_each_field(server: RunningServer) -> None:
    response = server.predict(dict(HOME) | {"heating": "coal", "area": None, "pool": "yes"})
    assert response.status_code == 422
    problem = response.json()
    assert problem["detail"] == (
        "The row is invalid: area is null; heating 'coal' is not one of its levels; "
        "pool is not true or false."
    )
    assert problem["errors"][1] == {
        "field": "heating",
        "problem": "'coal' is not one of its levels",
        "expected": "a text (other texts are refused); in training 'gas', 'öl'",
    }


def test_openapi_shows_levels_nullable_fields_and_dates(server: RunningServer) -> None:
    schema = row_schema(server)
    assert schema["required"] == ["area", "heating", "agent", "sold"]
    fields = schema["properties"]
    text = {"type": "string", "maxLength": 200}
    expected: dict[str, dict[str, object]] = {
        "town": {"anyOf": [text, {"type": "null"}], "examples": ["Ulm", "Bad Orb, Hessen"]},
        "heating": {**text, "enum": ["gas", "öl"]},
        "agent": {**text, "examples": ["A"]},
        "pool": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "examples": [True]},
        "sold": {**text, "format": "date-time", "examples": ["2024-05-01"]},
        "built": {"anyOf": [text, {"type": "null"}], "examples": ["02.01.1970"]},
    }
    for name, described in expected.items():
        assert fields[name].items() >= described.items()  # type: ignore[attr-defined]
    assert "%d.%m.%Y" in fields["built"]["description"]  # type: ignore[index]
    assert "default" not in json.dumps([fields[name] for name in HOMES.feature_names])


def test_docs_page_describes_types_levels_and_gaps(server: RunningServer) -> None:
    page = unescape(server.client.get("/docs").text)
    rows = [
        re.findall(r"<td[^>]*>([^<\n]*)", line) for line in page.splitlines() if "<tr><td" in line
    ]
    assert {row[0]: row[2:] for row in rows} == {
        "area": ["number", "12 to 300", "m2", "no", "80"],
        "rooms": ["number", "1 to 9", "", "yes", "3"],
        "town": [
            "text; other texts count as missing",
            "'Ulm', 'Bad Orb, Hessen'",
            "",
            "yes",
            '"Ulm"',
        ],
        "heating": ["text; other texts are refused", "'gas', 'öl'", "", "no", '"öl"'],
        "agent": ["text; other texts form one group", "'A'", "", "no", '"A"'],
        "pool": ["true or false", "", "", "yes", "true"],
        "sold": ["date, ISO 8601", "1970-01-01 to 2024-05-01", "", "no", '"2024-05-01"'],
        "built": ["date, %d.%m.%Y", "01.01.1970 to 01.05.2024", "", "yes", '"02.01.1970"'],
    }
    assert "Send null for a missing value, or omit the field." in page
