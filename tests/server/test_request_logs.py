"""Access log, prediction log and traces of a real server."""

import json
import re
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from housectl.python_process import child_environment
from housectl.store.local import LocalStore
from housectl_server.monitoring.background_writer import BackgroundWriter, LineResult
from housectl_server.monitoring.prediction_log import PredictionLog
from housectl_server.monitoring.rotating_file import MAX_FILES, RotatingFile
from tests.server.bundles import make_bundle, promote
from tests.server.running import RunningServer, running, start, wait_until
from tests.server.typed_bundles import HOME, typed_bundle

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
LOG = "predictions.jsonl"
# A date is logged with its time.
LOGGED_HOME = {**HOME, "sold": "2024-05-01T00:00:00"}
OLD_LINE = b'{"features": {}}\n'


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A receiver of traces; yields the file that gets the spans."""
    spans = tmp_path_factory.mktemp("receiver") / "spans.txt"
    program = Path(__file__).with_name("otlp_receiver.py")
    with spans.open("wb") as output:
        process = subprocess.Popen([sys.executable, program], stdout=output)
    wait_until(spans.read_text)
    yield spans
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, receiver: Path) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("logs")
    store = LocalStore(path / "store")
    promote(store, typed_bundle(path))
    (path / LOG).write_bytes(OLD_LINE * 10_000)
    port = receiver.read_text().split()[0]
    arguments = ("--json", "--access-log", "--prediction-log", LOG)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        environment.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=prices")
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        with running(store.path, path / "output.txt", arguments=arguments) as server:
            yield server


def access_lines(server: RunningServer, request_id: str) -> list[dict[str, Any]]:
    lines = map(json.loads, server.log().splitlines())
    return [line for line in lines if line.get("request_id") == request_id]


def predictions(server: RunningServer, request_id: str) -> list[dict[str, Any]]:
    text = (server.output.parent / LOG).read_text()
    lines = map(json.loads, text.splitlines())
    return [line for line in lines if line.get("request_id") == request_id]


def post(server: RunningServer, path: str, body: object, request_id: str) -> dict[str, Any]:
    answer = server.client.post(path, json=body, headers={"x-request-id": request_id})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def dropped_lines(server: RunningServer) -> float:
    pattern = r'housectl_log_lines_total\{log="prediction",result="dropped"\} (\S+)'
    match = re.search(pattern, server.client.get("/metrics").text)
    assert match
    return float(match[1])


def test_access_log_has_a_line_for_each_request_and_no_values(server: RunningServer) -> None:
    post(server, "/predict?area=987654", {**HOME, "area": 76543.0}, "a")
    wait_until(lambda: access_lines(server, "a"))
    (line,) = access_lines(server, "a")
    bundle = server.health()["model_digest"]
    assert isinstance(bundle, str)
    assert line["method"] == "POST"
    assert line["path"] == "/predict"
    assert line["status"] == 200
    assert 0 < line["seconds"] < 10
    assert line["model"] == bundle[:12]
    assert line["level"] == "info"
    assert "request a: POST /predict answered with 200 in " in line["message"]
    assert "7654" not in server.log()


def test_prediction_log_has_features_and_predictions(server: RunningServer) -> None:
    row = {**HOME, "rooms": None, "town": "Atlantis"}
    prediction = post(server, "/predict", row, "p")["predicted_price"]
    wait_until(lambda: predictions(server, "p"))
    (line,) = predictions(server, "p")
    assert line["prediction"] == prediction
    assert line["model"] == server.health()["model_digest"]
    assert line["time"].startswith("20")
    assert line["features"] == {**LOGGED_HOME, "rooms": None, "town": "other"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", [HOME, HOME]),
        ("/invocations", {"dataframe_records": [HOME, HOME]}),
        (
            "/v2/models/champion/infer",
            {
                "inputs": [
                    {"name": name, "shape": [2], "datatype": kind, "data": [HOME[name]] * 2}
                    for name, kind in zip(
                        HOME,
                        ("FP64", "FP64", "BYTES", "BYTES", "BYTES", "BOOL", "BYTES", "BYTES"),
                        strict=True,
                    )
                ]
            },
        ),
    ],
)
def test_prediction_log_has_each_row_of_a_batch(
    server: RunningServer, path: str, body: object
) -> None:
    request_id = f"batch:{path}"
    post(server, path, body, request_id)
    wait_until(lambda: predictions(server, request_id))
    lines = predictions(server, request_id)
    assert [line["features"] for line in lines] == [LOGGED_HOME] * 2


def test_full_disk_is_reported_once_and_refuses_no_request(server: RunningServer) -> None:
    path = server.output.parent / LOG
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    size = path.stat().st_size
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size + 10, limits[1]))
    for number in (1, 2):
        before = dropped_lines(server)
        post(server, "/predict", HOME, f"full-{number}")
        wait_until(lambda: dropped_lines(server) > before)  # noqa: B023
    assert path.stat().st_size == size
    assert server.log().count("lines are dropped") == 1
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
    post(server, "/predict", HOME, "room")
    wait_until(lambda: predictions(server, "room"))
    assert not predictions(server, "full-1")
    assert "the prediction log is written again" in server.log()


def test_spans_continue_the_trace_of_the_client(server: RunningServer, receiver: Path) -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "x-request-id": "traced"}
    server.client.post("/predict", json=HOME, headers=headers)
    server.client.get("/health", headers=headers)
    server.client.get("/nowhere", headers=headers)
    wait_until(lambda: receiver.read_text().count(TRACE) >= 3)
    lines = map(json.loads, receiver.read_text().splitlines()[1:])
    spans = {span["name"]: span for span in lines if span["trace"] == TRACE}
    assert set(spans) == {"POST /predict", "GET /health", "GET other"}
    assert {span["parent"] for span in spans.values()} == {SPAN}
    assert {span["service"] for span in spans.values()} == {"prices"}
    span = spans["POST /predict"]
    assert span["path"] == "/v1/traces"
    assert 0 < span["milliseconds"] < 10_000
    attributes = span["attributes"]
    assert attributes["http.response.status_code"] == 200
    assert attributes["http.route"] == attributes["url.path"] == "/predict"
    assert attributes["housectl.request_id"] == "traced"
    assert len(attributes["housectl.model_version"]) == 12


def test_nothing_of_the_extra_is_imported_without_a_receiver() -> None:
    program = (
        "import sys, housectl_server.serving\n"
        "from housectl_server.http.tracing import create_tracer\n"
        "assert create_tracer() is None\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', "
        "'opentelemetry.exporter', 'requests'))])"
    )
    environment = {name: text for name, text in child_environment().items() if "OTEL" not in name}
    output = subprocess.check_output([sys.executable, "-c", program], env=environment, text=True)
    assert output == "[]\n"


def test_invalid_log_file_ends_the_start(store: LocalStore, output: Path) -> None:
    arguments = ("--port", "0", "--prediction-log", str(output.parent))
    assert start(store.path, output, arguments=arguments).wait(30) == 7
    assert f"Cannot write {output.parent}" in output.read_text()


def test_files_are_rotated_by_several_processes_without_losing_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    files = [RotatingFile(path, max_bytes=40) for _ in range(2)]
    for number in range(19):
        files[number % 2].append(b"%09d\n" % number)
    paths = [path, *(Path(f"{path}.{number}") for number in range(1, MAX_FILES))]
    lines = [int(line) for each in reversed(paths) for line in each.read_text().splitlines()]
    assert lines == list(range(19))
    files[0].append(b"a longer line than the limit of the size\n" * 2)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    path.rename(tmp_path / "moved")
    files[1].append(b"new\n")
    assert path.read_text() == "new\n"


def test_lines_without_room_are_dropped_and_counted() -> None:
    is_writable = Event()
    written: list[int] = []

    def write(items: Sequence[int]) -> None:
        is_writable.wait()
        written.extend(items)

    writer: BackgroundWriter[int] = BackgroundWriter(write, name="test")
    for number in range(1000):
        writer.put(number, capacity=100)
    is_writable.set()
    writer.close()
    assert written == sorted(written)
    assert 100 <= len(written) < 1000
    assert writer.lines == {
        LineResult.WRITTEN: len(written),
        LineResult.DROPPED: 1000 - len(written),
    }


def test_sample_is_a_fraction_of_the_rows(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path / LOG, sample=0.25)
    rows = np.full((4000, 2), 6.5)
    log.of_bundle(make_bundle(tmp_path))("id", rows, [1.0] * 4000)
    log.writer.close()
    assert 700 < len((tmp_path / LOG).read_text().splitlines()) < 1300
