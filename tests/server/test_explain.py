"""POST /explain: contributions over HTTP, which add up to the prediction of /predict."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.contract.bundle import Bundle
from housectl.contract.cells import write_row
from housectl.contract.data.csv_format import DEFAULT_FORMAT
from housectl.contract.schema import Transform
from housectl.file_prediction import FilePrediction
from housectl.store.local import LocalStore
from tests.server.bundles import make_bundle, promote
from tests.server.running import ROW, RunningServer, running_bundle
from tests.trained_bundles import trained_bundle
from tests.trainer.mixed_data import mixed_dataset

DATASET = mixed_dataset(transform=Transform.LOG)
NAMES = DATASET.shared.schema.feature_names
CELLS = [write_row(DATASET.shared.schema, row) for row in DATASET.values[:5].tolist()]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return trained_bundle(tmp_path_factory.mktemp("bundles") / "bundle", DATASET)


@pytest.fixture(scope="module")
def server(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_bundle(tmp_path_factory.mktemp("server"), bundle) as server:
        yield server


def test_contributions_are_those_of_the_command_line(
    server: RunningServer, bundle: Bundle, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([NAMES, *CELLS])
    prediction = FilePrediction(bundle=bundle, path=path, csv_format=DEFAULT_FORMAT, explain=True)
    for cells, expected in zip(CELLS, prediction.rows(), strict=True):
        row = dict(zip(NAMES, cells, strict=True))
        answer = server.client.post("/explain", json=row)
        assert answer.status_code == 200
        assert answer.headers["x-model-digest"] == bundle.digest
        body = answer.json()
        predicted = server.predict(row).json()["prediction"]
        assert body["prediction"] == expected.prediction == predicted
        assert (body["baseline"], body["scale"]) == (prediction.baseline, "log")
        contributions = body["contributions"]
        assert {each["feature"]: each["value"] for each in contributions} == row
        assert {each["feature"]: each["contribution"] for each in contributions} == (
            expected.contributions
        )
        total = body["baseline"] + sum(each["contribution"] for each in contributions)
        assert total == pytest.approx(math.log(body["prediction"]), abs=1e-12)


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b"[]", 422), (b'{"area": "wide"}', 422), (b" " * 2**20 + b"{}", 413)],
)
def test_invalid_row_is_refused(server: RunningServer, content: bytes, status: int) -> None:
    refused = server.client.post("/explain", content=content)
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"


def test_explanation_is_documented_and_counts_no_prediction(server: RunningServer) -> None:
    described = server.client.get("/openapi.json").json()["paths"]["/explain"]["post"]
    assert {"200", "400", "409", "413", "422", "503"} <= described["responses"].keys()
    row = dict(zip(NAMES, CELLS[0], strict=True)) | {"area": 1e6}
    before = server.health()["out_of_range"]
    assert server.client.post("/explain", json=row).status_code == 200
    assert server.health()["out_of_range"] == before
    assert server.client.get("/explain").status_code == 405


def test_bundle_of_earlier_version_is_not_explained(server: RunningServer, tmp_path: Path) -> None:
    earlier = make_bundle(tmp_path)
    promote(LocalStore(server.output.parent / "store"), earlier)
    server.wait_for(model_digest=earlier.digest)
    refused = server.client.post("/explain", json=ROW)
    assert refused.status_code == 409
    assert "gives no contributions of features" in refused.json()["detail"]
    assert server.predict().status_code == 200
