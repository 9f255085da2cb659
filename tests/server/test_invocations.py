"""The requests of MLflow's scoring server."""

import csv
import io
import json
import math
from collections.abc import Iterator

import httpx
import pytest

from tests.server.running import RunningServer, running_bundle
from tests.server.test_inference import ROWS
from tests.server.typed_bundles import HOME, typed_bundle

NAMES = list(HOME)
VALUES = [[row[name] for name in NAMES] for row in ROWS]
COLUMNS = {name: [row[name] for row in ROWS] for name in NAMES}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("invocations")
    with running_bundle(path, typed_bundle(path)) as server:
        yield server


@pytest.fixture(scope="module")
def expected(server: RunningServer) -> list[float]:
    return [server.predict(row).json()["predicted_price"] for row in ROWS]


def post_csv(server: RunningServer, content: str | bytes) -> httpx.Response:
    headers = {"content-type": "text/csv; charset=utf-8"}
    return server.client.post("/invocations", content=content, headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": NAMES, "index": [3, 1, 0, 2], "data": VALUES}},
        {"dataframe_split": {"columns": NAMES[::-1], "data": [each[::-1] for each in VALUES]}},
        {"dataframe_records": [row | {"owner": "Smith", "price": 3} for row in ROWS]},
        {"dataframe_records": ROWS, "params": {"anything": 1}},
        {"inputs": COLUMNS},
        {"inputs": {name: [[value] for value in values] for name, values in COLUMNS.items()}},
        {"inputs": VALUES},
        {"inputs": ROWS},
        {"instances": VALUES},
        {"instances": ROWS},
    ],
    ids=range(10),
)
def test_rows_in_each_form_are_predicted_as_single_ones(
    server: RunningServer, expected: list[float], body: object
) -> None:
    response = server.client.post("/invocations", json=body)
    assert response.status_code == 200, response.text
    assert response.json() == {"predictions": expected}


def test_csv_file_is_predicted(server: RunningServer, expected: list[float]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([NAMES, *VALUES])
    text = file.getvalue()
    for content in (text, "\ufeff" + text, text.replace("\r\n", "\n\n").rstrip()):
        response = post_csv(server, content.encode())
        assert response.json() == {"predictions": expected}, response.text
    assert post_csv(server, text.splitlines()[0]).json() == {"predictions": []}


def test_nan_and_absent_values_are_missing(server: RunningServer, expected: list[float]) -> None:
    sparse = {name: value for name, value in ROWS[1].items() if value is not None}
    for row in (sparse, sparse | {"rooms": math.nan, "town": math.nan}):
        body = json.dumps({"dataframe_records": [ROWS[0], row]})
        answer = server.client.post("/invocations", content=body).json()
        assert answer == {"predictions": expected[:2]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([HOME], "has another form"),
        ({}, "has another form"),
        ({"columns": [], "data": []}, "has another form"),
        ({"inputs": [], "instances": []}, "has another form"),
        ({"dataframe_split": VALUES}, "dataframe_split is invalid"),
        ({"dataframe_split": {"columns": [1], "data": [[1]]}}, "dataframe_split is invalid"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": []}}, "a column occurs twice"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1], [1, 2]]}}, "Row 1 has 2 values"),
        ({"dataframe_records": VALUES}, "dataframe_records is invalid"),
        ({"dataframe_records": [HOME, HOME | {"area": "big"}]}, "row 1: area is not a number"),
        ({"dataframe_records": [HOME, HOME | {"area": None}]}, "row 1: area is missing"),
        ({"dataframe_records": [HOME | {"heating": 1}]}, "row 0: heating is not a text"),
        ({"dataframe_records": [HOME | {"pool": 1}]}, "row 0: pool is not true or false"),
        ({"dataframe_records": [HOME | {"sold": "today"}]}, "'today' is not an ISO 8601 date"),
        ({"dataframe_records": [HOME | {"garden": 1}]}, "garden is unknown"),
        ({"inputs": {"area": 1}}, "area is not a list"),
        ({"inputs": {"area": [1], "rooms": []}}, "different lengths"),
        ({"inputs": [1, 2]}, "inputs is invalid"),
        ({"instances": "rows"}, "instances is invalid"),
        ({"instances": [[1, 2]]}, "Row 0 has 2 values, but there are 8 columns"),
        ({"instances": [VALUES[0]] * 10_001}, "at most 10000 rows"),
    ],
)
def test_invalid_rows_are_refused(server: RunningServer, body: object, message: str) -> None:
    response = server.client.post("/invocations", json=body)
    assert response.status_code == 422, response.text
    assert message in response.json()["detail"]


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 400), (b"\xff", 400), (b'"area', 400), (b"area\n1,2", 422), (b"area\nx", 422)],
)
def test_invalid_csv_is_refused(server: RunningServer, content: bytes, status: int) -> None:
    assert post_csv(server, content).status_code == status


def test_text_other_than_json_is_refused(server: RunningServer) -> None:
    assert server.client.post("/invocations", content=b"{").status_code == 400
    assert server.client.get("/invocations").status_code == 405
