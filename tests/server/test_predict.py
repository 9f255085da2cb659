import gzip
import json
import re
import shlex
import socket
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from housectl.store.local import LocalStore
from tests.server.bundles import FLOWERS, make_bundle, promote
from tests.server.running import FRAGILE_SERVER, ROW, RunningServer, running, running_bundle

TOO_LARGE = 1024 * 1024 + 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("predict")
    with running_bundle(path, make_bundle(path)) as server:
        yield server


def assert_problem(response: httpx.Response, status: int) -> dict[str, object]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, object] = response.json()
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    return problem


def test_prediction_has_response_key_of_schema(server: RunningServer) -> None:
    assert server.predict().json() == {"predicted_price": 30.0}
    assert server.predict(ROW | {"RM": 6}).json() == {"predicted_price": 20.0}


def test_array_gets_array_of_predictions(server: RunningServer) -> None:
    rows = [ROW, ROW | {"RM": 6, "B": None}, ROW]
    answers = [{"predicted_price": value} for value in (30.0, 20.0, 30.0)]
    assert server.predict(rows).json() == answers
    assert post_gzip(server, gzip.compress(json.dumps(rows).encode())).json() == answers
    assert server.predict([]).json() == []


def test_array_of_ten_thousand_rows_may_be_larger_than_one_row(server: RunningServer) -> None:
    row = ROW | {"B": "x" * 100}
    answers = server.predict([row] * 10_000).json()
    assert answers == [{"predicted_price": 30.0}] * 10_000
    assert_problem(server.predict([row] * 10_001), 422)
    body = b"[" + b" " * 16 * TOO_LARGE
    assert_problem(server.client.post("/predict", content=body), 413)


def test_problem_of_array_names_row(server: RunningServer) -> None:
    problem = assert_problem(server.predict([ROW, {"RM": "six", "LSTAT": 5}]), 422)
    assert problem["detail"] == "The rows are invalid: row 1: RM is not a number."
    (error,) = problem["errors"]  # type: ignore[misc]
    assert (error["row"], error["field"]) == (1, "RM")


def test_field_order_does_not_matter(server: RunningServer) -> None:
    assert server.predict({"LSTAT": 1.0, "RM": 8.0}).json() == {"predicted_price": 30.0}
    assert server.predict({"LSTAT": 8.0, "RM": 1.0}).json() == {"predicted_price": 20.0}


@pytest.mark.parametrize("value", [396.9, None, "text", [1, {"a": 2}]])
def test_excluded_field_is_ignored(server: RunningServer, value: object) -> None:
    assert server.predict(ROW | {"B": value}).json() == {"predicted_price": 30.0}


@pytest.mark.parametrize("value", [24.0, None, "unknown"])
def test_target_in_row_is_ignored(server: RunningServer, value: object) -> None:
    assert server.predict(ROW | {"MEDV": value}).json() == {"predicted_price": 30.0}


def test_byte_order_mark_is_accepted(server: RunningServer) -> None:
    body = BOM_UTF8 + json.dumps(ROW).encode()
    assert server.client.post("/predict", content=body).json() == {"predicted_price": 30.0}
    assert_problem(server.client.post("/predict", content=BOM_UTF8 + body), 400)


@pytest.mark.parametrize(
    "body",
    [
        '{"RM": 6.5, "LSTAT": 5, "RM": 5}',
        '{"RM": 6.5, "LSTAT": 5, "R\\u004d": 5}',
        '{"RM": 6.5, "RM": 6.5}',
        '{"RM": 6.5, "LSTAT": 5, "B": {"RM": 1, "RM": 1}}',
    ],
)
def test_repeated_key_is_rejected(server: RunningServer, body: str) -> None:
    problem = assert_problem(server.client.post("/predict", content=body), 400)
    assert problem["detail"] == "The key RM occurs twice in an object."


def test_quotes_in_ignored_fields_are_accepted(server: RunningServer) -> None:
    row = ROW | {"B": 'quote " and {"RM": 1}', "MEDV": {"RM": 1, "B": "RM"}}
    assert server.predict(row).json() == {"predicted_price": 30.0}


def test_body_needs_no_content_type(server: RunningServer) -> None:
    assert server.client.post("/predict", content=json.dumps(ROW)).status_code == 200


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("null", "is null"),
        ('"6.5"', "is not a number"),
        ('"six"', "is not a number"),
        ("true", "is not a number"),
        ("[6.5]", "is not a number"),
        ("NaN", "is not finite"),
        ("Infinity", "is not finite"),
        ("-Infinity", "is not finite"),
        ("1e400", "is not finite"),
        ("1e39", "is too large for float32"),
        ("-1e39", "is too small for float32"),
    ],
)
def test_invalid_value_is_reported_with_its_field(
    server: RunningServer, value: str, problem: str
) -> None:
    body = f'{{"RM": {value}, "LSTAT": 5}}'
    body_problem = assert_problem(server.client.post("/predict", content=body), 422)
    expected = "a finite number; in training 3.5 to 8.8 rooms"
    assert body_problem["errors"] == [{"field": "RM", "problem": problem, "expected": expected}]
    assert f"RM {problem}" in str(body_problem["detail"])


def test_all_invalid_fields_are_reported_together(server: RunningServer) -> None:
    problem = assert_problem(server.predict({"RM": None, "ROOMS": 6, "rm": 1}), 422)
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert {error["field"]: error["problem"] for error in errors} == {
        "RM": "is null",
        "LSTAT": "is missing",
        "ROOMS": "is unknown",
        "rm": "is unknown",
    }


def test_empty_object_reports_every_feature(server: RunningServer) -> None:
    errors = assert_problem(server.predict({}), 422)["errors"]
    assert isinstance(errors, list)
    assert [error["field"] for error in errors] == ["RM", "LSTAT"]


def test_problem_of_many_invalid_fields_is_short(server: RunningServer) -> None:
    response = server.predict({f"{'long' * 100}{number}": number for number in range(2000)})
    assert_problem(response, 422)
    assert len(response.content) < 25_000


@pytest.mark.parametrize("body", ["[1, 2]", "[[6.5, 5]]", "6.5", '"RM"', "null"])
def test_json_other_than_rows_is_invalid(server: RunningServer, body: str) -> None:
    assert_rows_are_expected(server, server.client.post("/predict", content=body))


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [ROW]},
        {"inputs": [{"name": "RM", "shape": [1], "datatype": "FP64", "data": [6.5]}]},
        {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())]}},
        {"dataframe_records": [ROW]},
        {"instances": [ROW], **{f"field {number}": 0 for number in range(60)}},
    ],
)
def test_request_of_another_protocol_is_told_the_expected_form(
    server: RunningServer, body: object
) -> None:
    assert_rows_are_expected(server, server.predict(body))


def assert_rows_are_expected(server: RunningServer, response: httpx.Response) -> None:
    """Check that the problem shows the expected body, and that it works."""
    detail = str(assert_problem(response, 422)["detail"])
    _, _, example = detail.partition(
        "a JSON object with one row, or an array of such objects, is expected, "
    )
    body = example.removeprefix("such as ").partition("}")[0] + "}"
    assert server.client.post("/predict", content=body).status_code == 200


@pytest.mark.parametrize("body", [b"", b'{"RM": 1', b"RM=6", b'"\xff"', b"[" * 5000])
def test_text_other_than_json_is_unreadable(server: RunningServer, body: bytes) -> None:
    assert_problem(server.client.post("/predict", content=body), 400)


def test_body_over_one_mebibyte_is_too_large(server: RunningServer) -> None:
    assert_problem(server.client.post("/predict", content=b" " * TOO_LARGE), 413)


def test_chunked_body_over_one_mebibyte_is_too_large(server: RunningServer) -> None:
    chunks = iter([b" " * (TOO_LARGE // 2)] * 3)
    assert_problem(server.client.post("/predict", content=chunks), 413)


def test_body_of_one_mebibyte_is_accepted(server: RunningServer) -> None:
    body = json.dumps(ROW).encode().ljust(TOO_LARGE - 1)
    assert server.client.post("/predict", content=body).status_code == 200


def post_gzip(server: RunningServer, body: bytes, coding: str = "gzip") -> httpx.Response:
    headers = {"content-encoding": coding}
    return server.client.post("/predict", content=body, headers=headers)


def test_gzip_body_is_decompressed(server: RunningServer) -> None:
    text = BOM_UTF8 + json.dumps(ROW).encode()
    for coding in ("gzip", "x-gzip", "GZIP"):
        assert post_gzip(server, gzip.compress(text), coding).json() == {"predicted_price": 30.0}
    assert_problem(post_gzip(server, gzip.compress(b'{"RM": 6.5}')), 422)


def test_gzip_body_is_decompressed_up_to_the_limit(server: RunningServer) -> None:
    text = json.dumps(ROW).encode()
    largest = gzip.compress(text.ljust(TOO_LARGE - 1))
    assert post_gzip(server, largest).status_code == 200
    assert_problem(post_gzip(server, gzip.compress(text.ljust(TOO_LARGE))), 413)
    bomb = gzip.compress(bytes(500 * TOO_LARGE))
    assert len(bomb) < TOO_LARGE
    assert_problem(post_gzip(server, bomb), 413)


def test_damaged_gzip_body_is_rejected(server: RunningServer) -> None:
    body = gzip.compress(json.dumps(ROW).encode())
    for damaged in (body[:-1], body[:-3] + b"xxx", body + b"x", b"\x1f\x8b", b"{"):
        assert_problem(post_gzip(server, damaged), 400)


def test_other_content_coding_is_rejected_with_the_accepted_one(server: RunningServer) -> None:
    response = post_gzip(server, zlib.compress(json.dumps(ROW).encode()), "deflate")
    problem = assert_problem(response, 415)
    assert "gzip" in str(problem["detail"])
    assert response.headers["accept-encoding"] == "gzip"


def test_client_disconnect_is_not_logged(store: LocalStore, output: Path) -> None:
    promote(store, make_bundle(output.parent))
    with running(store.path, output) as server:
        address = (server.client.base_url.host, server.client.base_url.port)
        with socket.create_connection(address) as connection:
            connection.sendall(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1024) == b""
        assert server.predict().status_code == 200
        assert len(server.log().splitlines()) == 1


def test_other_methods_and_paths_are_problems(server: RunningServer) -> None:
    response = server.client.get("/predict")
    assert_problem(response, 405)
    assert response.headers["allow"] == "OPTIONS, POST"
    assert_problem(server.client.post("/health"), 405)
    assert_problem(server.client.get("/nowhere"), 404)
    assert_problem(server.client.post("/predict/", json=ROW), 404)


def test_valid_request_id_is_returned(server: RunningServer) -> None:
    for path in ("/health", "/nowhere", "/predict"):
        response = server.client.get(path, headers={"x-request-id": "from-client.1"})
        assert response.headers.get_list("x-request-id") == ["from-client.1"]


@pytest.mark.parametrize("invalid_id", ["", "x" * 129, "two words", 'quote"'])
def test_invalid_request_id_is_replaced(server: RunningServer, invalid_id: str) -> None:
    responses = [
        server.client.get("/health", headers={"x-request-id": invalid_id}) for _ in range(2)
    ]
    ids = {response.headers["x-request-id"] for response in responses}
    assert len(ids) == 2
    assert invalid_id not in ids


def test_values_out_of_range_are_predicted_and_counted(server: RunningServer) -> None:
    before = server.health()["out_of_range"]
    assert isinstance(before, dict)
    assert server.predict({"RM": 100, "LSTAT": 5}).json() == {"predicted_price": 30.0}
    assert server.predict({"RM": -3, "LSTAT": 1e6}).json() == {"predicted_price": 20.0}
    expected = {"RM": before["RM"] + 2, "LSTAT": before["LSTAT"] + 1}
    assert server.health()["out_of_range"] == expected


def test_openapi_describes_schema(server: RunningServer) -> None:
    operation = server.client.get("/openapi.json").json()["paths"]["/predict"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    schema, rows = content["schema"]["anyOf"]
    assert (rows["items"], rows["maxItems"]) == (schema, 10_000)
    assert schema["required"] == ["RM", "LSTAT"]
    assert set(schema["properties"]) == {"RM", "LSTAT", "B", "MEDV"}
    assert schema["additionalProperties"] is False
    described = schema["properties"]["RM"]["description"]
    assert described == "Rooms of a dwelling: a finite number; in training 3.5 to 8.8 rooms"
    assert "it encodes race" in schema["properties"]["B"]["description"]
    assert server.predict(content["example"]).status_code == 200
    assert set(operation["responses"]) == {"200", "400", "401", "413", "415", "422", "503"}


def test_docs_page_works_offline_and_describes_each_field(
    server: RunningServer,
) -> None:
    response = server.client.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    page = response.text
    cells = re.findall(r"<td[^>]*>([^<\n]*)", page)
    assert cells[:4] == ["RM", "Rooms of a dwelling.", "number", "3.5 to 8.8"]
    assert cells[4:7] == ["rooms", "no", "4"]
    assert "B: it encodes race" in page
    assert "thousand dollars" in page
    assert not re.search(r"(src|href)=.?(https?:)?//", page)


def test_command_on_docs_page_works(server: RunningServer) -> None:
    page = unescape(server.client.get("/docs").text)
    command, response = re.findall("<pre>(.*)</pre>", page)
    program, url, option, body = shlex.split(command)
    assert (program, url, option) == ("curl", f"{server.url}/predict", "-d")
    assert server.client.post(url, content=body).json() == json.loads(response)


def test_openapi_has_response_key_and_unit(server: RunningServer) -> None:
    prediction = server.client.get("/openapi.json").json()["components"]["schemas"]["Prediction"]
    assert "thousand dollars" in prediction["properties"]["predicted_price"]["description"]


def test_feature_names_can_be_any_text(store: LocalStore, output: Path) -> None:
    promote(store, make_bundle(output.parent, schema=FLOWERS))
    with running(store.path, output) as server:
        assert server.predict({"petal length (cm)": 7}).json() == {"petal width": 30.0}
        assert_problem(server.predict({"feature_0": 7}), 422)


def test_internal_error_is_a_problem_with_traceback_in_log(store: LocalStore, output: Path) -> None:
    promote(store, make_bundle(output.parent))
    with running(store.path, output, program=FRAGILE_SERVER) as server:
        assert server.predict().json() == {"predicted_price": 30.0}
        problem = assert_problem(server.predict(ROW | {"RM": 1000}), 500)
        assert server.predict().status_code == 200
        log = server.log()
    start = log.index(f"request {problem['request_id']}: POST /predict failed")
    assert "Traceback (most recent call last)" in log[start:]
    assert log.count("Traceback (most recent call last)") == 1


def test_prediction_that_is_not_finite_is_an_internal_error(
    store: LocalStore, output: Path
) -> None:
    promote(store, make_bundle(output.parent))
    with running(store.path, output, program=FRAGILE_SERVER) as server:
        problem = assert_problem(server.predict(ROW | {"RM": 2000}), 500)
        assert "NaN" not in json.dumps(problem)
        assert server.predict().status_code == 200
        assert "NonFinitePredictionError: A prediction is not a finite number." in server.log()
