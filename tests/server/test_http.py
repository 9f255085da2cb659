"""HTTP semantics that hold for every path: methods, headers of answers, and redirects."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.store.local import LocalStore
from tests.server.bundles import make_bundle, promote
from tests.server.running import ROW, RunningServer, running, running_bundle

GET_PATHS = (
    "/",
    "/docs",
    "/openapi.json",
    "/health",
    "/health/live",
    "/health/ready",
    "/model",
    "/page/main.js",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("http")
    with running_bundle(path, make_bundle(path)) as server:
        yield server


@pytest.mark.parametrize("path", GET_PATHS)
def test_head_has_headers_of_get_and_no_body(server: RunningServer, path: str) -> None:
    get, head = server.client.get(path), server.client.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    for name in ("content-length", "content-type", "location"):
        assert head.headers.get(name) == get.headers.get(name)


@pytest.mark.parametrize("path", GET_PATHS)
def test_options_and_other_methods_name_allowed_ones(server: RunningServer, path: str) -> None:
    response = server.client.options(path)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"
    response = server.client.delete(path)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_predict_allows_post_and_options(server: RunningServer) -> None:
    assert server.client.options("/predict").headers["allow"] == "OPTIONS, POST"
    assert server.client.head("/predict").status_code == 405


def test_unknown_path_has_no_methods(server: RunningServer) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "POST"):
        assert server.client.request(method, "/nowhere").status_code == 404


@pytest.mark.parametrize("path", ["/", "/docs", "/page/style.css"])
def test_page_restricts_what_a_browser_loads(server: RunningServer, path: str) -> None:
    headers = server.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert server.client.get("/nowhere").headers["x-content-type-options"] == "nosniff"


def test_every_answer_names_the_model(store: LocalStore, output: Path) -> None:
    with running(store.path, output) as server:
        answer = server.client.get("/health")
        assert "x-model-digest" not in answer.headers
        for number in (1, 2):
            bundle = make_bundle(output.parent, base=float(number))
            promote(store, bundle)
            server.wait_for(model_digest=bundle.digest)
            for answer in (
                server.predict(),
                server.predict({"RM": None}),
                server.client.post("/predict", content=b"{"),
                server.client.get("/health"),
                server.client.get("/nowhere"),
                server.client.options("/predict"),
                server.client.head("/docs"),
                server.client.get("/predict", headers={"x-request-id": "id"}),
            ):
                assert answer.headers.get_list("x-model-digest") == [bundle.digest]
                assert answer.headers.get_list("x-model-version") == [bundle.version]


def test_answers_have_one_content_type(server: RunningServer) -> None:
    assert server.predict(ROW).headers.get_list("content-type") == ["application/json"]
