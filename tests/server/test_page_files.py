"""The files of the page and GET /model, over HTTP."""

import re
from collections.abc import Iterator

import pytest

from housectl.store.local import LocalStore
from housectl_server.page.assets import INDEX, read_assets
from tests.server.bundles import promote
from tests.server.page_bundles import HOSTILE, page_bundle, page_evidence
from tests.server.running import RunningServer, running

MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("files")
    with running(path / "store", path / "output.txt") as server:
        promoted = server.client.get("/model")
        assert promoted.status_code == 503
        assert "housectl promote" in promoted.json()["detail"]
        assert server.client.get("/").status_code == 200
        store, bundle = LocalStore(path / "store"), page_bundle(path)
        store.add_bundle(bundle)
        store.add_evidence(page_evidence(bundle), name=bundle.digest)
        promote(store, bundle)
        server.wait_for(status="ok")
        yield server


def test_files_have_types_and_tags(server: RunningServer) -> None:
    for name in read_assets():
        path = "/" if name == INDEX else f"/page/{name}"
        response = server.client.get(path)
        media_type = MEDIA_TYPES.get(name.rpartition(".")[2], "text/html")
        assert response.headers["content-type"].partition(";")[0] == media_type
        assert response.headers["x-content-type-options"] == "nosniff"
        tag = response.headers["etag"]
        again = server.client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag


def test_unknown_file_is_not_found(server: RunningServer) -> None:
    for path in ("/page/other.js", "/page/", "/page/../assets.py", "/page/%2e%2e%2fassets.py"):
        assert server.client.get(path).status_code == 404


def test_files_name_only_relative_urls_that_exist() -> None:
    assets = read_assets()
    for name, asset in assets.items():
        text = asset.content.decode()
        assert not re.findall(r"""(?:href|src)="(?:/|https?:)""", text), name
        assert "style=" not in text
        assert {*re.findall(r'from "\./([^"]+)"', text)} <= assets.keys(), name
    linked = re.findall(r'(?:href|src)="page/([^"]+)"', assets[INDEX].content.decode())
    assert {"style.css", "main.js"} <= {*linked} <= assets.keys()


def test_model_is_described(server: RunningServer) -> None:
    report = server.client.get("/model").json()
    health = server.health()
    assert report["digest"] == health["model_digest"]
    assert report["serving_since"] == health["serving_since"]
    assert report["champion"] == 1
    assert report["errors"] == {"rmse": 3.0, "mae": 1.5, "r2": 0.9775}
    assert [each["name"] for each in report["competitors"]] == [
        "linear model",
        "mean of the targets",
    ]
    assert report["target"]["range"] == [100.0, 500.0]
    assert report["target"]["distribution"]["counts"] == [40, 30, 20, 10]
    features = {each["name"]: each for each in report["features"]}
    assert features["area"]["type"] == "number"
    assert (features["area"]["minimum"], features["area"]["maximum"]) == (12.0, 300.0)
    assert features["area"]["distribution"]["edges"] == [156.0]
    assert features["built"]["minimum"] == "01.01.1970"
    assert features[HOSTILE]["unknown_levels"] == "group"
    assert [each["action"] for each in report["history"]] == ["promotion"]
    # The history of a store names its users; a server does not publish them.
    assert "by" not in report["history"][0]


def test_model_has_its_description_in_openapi(server: RunningServer) -> None:
    answer = server.client.get("/openapi.json").json()["paths"]["/model"]["get"]["responses"]
    assert answer["200"]["content"]["application/json"]["schema"]["$ref"].endswith("ModelReport")
    assert "503" in answer
