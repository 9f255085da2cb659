"""GET /metrics of a real server."""

from collections.abc import Iterator, Mapping

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from housectl.store.local import LocalStore
from tests.server.bundles import REFERENCE, make_bundle, promote
from tests.server.running import RunningServer, running

Samples = Mapping[str, float]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("metrics")
    with running(path / "store", path / "output.txt") as server:
        yield server


def scrape(server: RunningServer) -> Samples:
    """Return all samples by name and label values, such as `http_requests_total GET /docs 200`."""
    return {
        " ".join([sample.name, *(sample.labels[name] for name in sorted(sample.labels))]): (
            sample.value
        )
        for family in parse(server.client.get("/metrics").text)
        for sample in family.samples
    }


def test_metrics_through_the_life_of_a_server(server: RunningServer) -> None:
    samples = scrape(server)
    assert samples["housectl_predictions_total"] == 0
    assert not any(name.startswith("housectl_model_info") for name in samples)
    assert server.predict().status_code == 503

    directory = server.output.parent
    store = LocalStore(directory / "store")
    first = make_bundle(directory, reference=REFERENCE)
    promote(store, first)
    server.wait_for(model_digest=first.digest)
    assert server.predict().status_code == 200
    assert server.predict({"RM": 99.0, "LSTAT": 5.0}).status_code == 200
    assert server.predict({"RM": None}).status_code == 422
    for path in ("/docs", "/nowhere/1", "/nowhere/2"):
        server.client.get(path)
        server.client.head(path)
    samples = scrape(server)
    assert samples["http_requests_total /predict POST 200"] == 2
    assert samples["http_requests_total /predict POST 422"] == 1
    assert samples["http_requests_total /predict POST 503"] == 1
    assert samples["http_request_duration_seconds_count /predict POST 200"] == 2
    for method in ("GET", "HEAD"):
        assert samples[f"http_requests_total /docs {method} 200"] == 1
        assert samples[f"http_requests_total other {method} 404"] == 2
    assert samples["housectl_predictions_total"] == 2
    assert samples["housectl_prediction_value_count"] == 2
    assert samples["housectl_feature_out_of_range_total RM"] == 1
    assert samples["housectl_model_swaps_total success"] == 1
    assert samples[f"housectl_model_info {first.digest} random-forest {first.version}"] == 1

    second = make_bundle(directory, base=1.0)
    promote(store, second)
    server.wait_for(model_digest=second.digest)
    broken = make_bundle(directory, base=2.0, golden_error=1.0)
    promote(store, broken)
    server.wait_for(status="degraded")
    samples = scrape(server)
    assert samples["housectl_degraded"] == 1
    assert samples["housectl_model_swaps_total success"] == 2
    assert samples["housectl_model_swaps_total failure"] >= 1
    assert samples["housectl_golden_check_failures_total"] >= 1
    assert samples["housectl_predictions_total"] == 2
    assert samples["housectl_last_swap_timestamp_seconds"] > 1.7e9


def test_openmetrics_is_negotiated(server: RunningServer) -> None:
    answer = server.client.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert "http_requests" in {family.name for family in parse_open(answer.text)}
    assert "text/plain" in server.client.get("/metrics").headers["content-type"]


def test_refused_requests_are_counted(server: RunningServer) -> None:
    with server.connect() as connection:
        connection.sendall(b"no http\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert scrape(server)["http_requests_total other other 400"] == 1
