"""Overload: predictions that would wait for too long are refused at once."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from benchmarks.open_loop import open_load
from benchmarks.slow_server import SECONDS_PER_ROW
from housectl.store.local import LocalStore
from housectl_server.http.admission import (
    Admission,
    is_whole_request,
    overload_response,
)
from tests.server.bundles import make_bundle, promote
from tests.server.running import ROW, RunningServer, running
from tools.project_directory import ROOT

SLOW_SERVER = ("-P", str(ROOT / "benchmarks" / "slow_server.py"))
SHOP = "https://shop.example"
BODY = json.dumps(ROW)
REQUEST = f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: {len(BODY)}\r\n\r\n{BODY}".encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    directory = tmp_path_factory.mktemp("overload")
    promote(store := LocalStore(directory / "store"), make_bundle(directory))
    arguments = ("--cors-origins", SHOP)
    with running(
        store.path, directory / "output.txt", program=SLOW_SERVER, arguments=arguments
    ) as server:
        yield server


def with_header(header: bytes) -> bytes:
    return REQUEST.replace(b"host: x\r\n", b"host: x\r\n" + header + b"\r\n")


def test_overloaded_server_refuses_requests_and_loses_none(server: RunningServer) -> None:
    rate = 3 / SECONDS_PER_ROW
    load = open_load(f"{server.url}/predict", [BODY], rate=rate, seconds=1.0)
    assert set(load.statuses) == {200, 503}
    assert load.refused > 0.3
    assert load.lost == 0
    assert load.without_retry == 0
    assert server.predict().status_code == 200


def test_refusal_is_a_problem_and_keeps_the_connection(server: RunningServer) -> None:
    request = with_header(b"X-Request-ID: mine\r\nOrigin: " + SHOP.encode())
    with ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(100)]
        for connection in connections:
            connection.sendall(request)
        answers = [connection.recv(4096) for connection in connections]
        refused = [
            (connection, answer)
            for connection, answer in zip(connections, answers, strict=True)
            if answer.startswith(b"HTTP/1.1 503 ")
        ]
        assert refused
        for connection, answer in refused[:3]:
            head, _, body = answer.partition(b"\r\n\r\n")
            headers = head.decode().lower().split("\r\n")
            shared = f"access-control-allow-origin: {SHOP}"
            assert {"x-request-id: mine", "retry-after: 1", shared, "vary: origin"} <= set(headers)
            assert any(header.startswith("x-model-digest: ") for header in headers)
            assert json.loads(body) == {
                "type": "about:blank",
                "title": "Service Unavailable",
                "status": 503,
                "detail": "The server is overloaded; repeat the request later.",
                "request_id": "mine",
            }
            connection.sendall(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (REQUEST, True),
        (REQUEST.replace(b"/predict", b"/predict?x=1"), False),
        (REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"), False),
        (REQUEST.replace(b"POST", b"GET"), False),
        (REQUEST.replace(b"{", b"[{"), False),
    ],
)
def test_predictions_of_a_row_are_recognised(data: bytes, expected: bool) -> None:
    assert Admission(objective=0.05).is_prediction(data) == expected


def test_prediction_below_the_root_path_is_recognised() -> None:
    admission = Admission(objective=0.05, root_path="/boston")
    below = REQUEST.replace(b"/predict", b"/boston/predict")
    assert admission.is_prediction(below)
    assert admission.is_prediction(REQUEST)
    assert not Admission(objective=0.05).is_prediction(below)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (REQUEST, True),
        (with_header(b"Connection: keep-alive"), True),
        (with_header(b"Connection: close"), False),
        (with_header(b"Transfer-Encoding: chunked"), False),
        (with_header(b"Expect: 100-continue"), False),
        (REQUEST[:-1], False),
        (REQUEST * 2, False),
        (REQUEST.replace(b"content-length", b"x-length"), False),
        (b"POST /predict HTTP/1.1\r\nhost: x\r\n", False),
    ],
)
def test_only_whole_ordinary_requests_are_refused_unparsed(data: bytes, expected: bool) -> None:
    assert is_whole_request(data) == expected


@pytest.mark.parametrize("header", [b"X-Request-ID: a b", b"X-Request-ID: " + b"x" * 129, b"Y: z"])
def test_refusal_without_a_valid_id_gets_a_new_one(header: bytes) -> None:
    head, _, body = overload_response(with_header(header), [], []).partition(b"\r\n\r\n")
    request_id = json.loads(body)["request_id"]
    assert f"x-request-id: {request_id}".encode() in head.split(b"\r\n")
    assert f"content-length: {len(body)}".encode() in head.split(b"\r\n")


@pytest.mark.parametrize(
    ("row_seconds", "capacity"), [(0.0, 64), (0.00001, 64), (0.001, 25), (0.1, 8)]
)
def test_first_capacity_follows_the_time_of_a_row(row_seconds: float, capacity: int) -> None:
    assert Admission(objective=0.050, row_seconds=row_seconds).capacity == capacity


def test_capacity_follows_the_time_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("housectl_server.http.admission.monotonic", lambda: now)
    admission = Admission(objective=0.050)
    capacities = []
    for seconds in (0.0001, 0.010, 0.0001):
        for _ in range(12_000):
            admission.begin()
            now += seconds
            admission.end()
        capacities.append(admission.capacity)
    assert capacities == pytest.approx([250, 8, 250], abs=1)
    assert not admission.is_full
    for _ in range(capacities[-1]):
        admission.begin()
    assert admission.is_full
