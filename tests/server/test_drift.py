"""Drift of the features of a running server, at /drift and as the command line shows it."""

import json
import math
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from housectl.contract.golden import GoldenSource
from housectl.drift import DriftLevel, DriftReport, FeatureDrift, read_drift
from housectl.errors import ServerUnreachableError, UsageError
from housectl.store.local import LocalStore
from housectl.verification.limits import Limits
from housectl_trainer.sealing.reference import make_reference
from tests.server.bundles import make_bundle, promote
from tests.server.running import RunningServer, running_bundle
from tests.trained_bundles import trained_bundle
from tests.trainer.mixed_data import mixed_dataset
from tools.project_directory import ProjectDirectory, example
from tools.server_process import free_port

DATASET = mixed_dataset()
NAMES = DATASET.shared.schema.feature_names
ROWS = 1200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("server")
    with running_bundle(path, trained_bundle(path / "bundle", DATASET)) as server:
        yield server


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    return example(".", tmp_path_factory.mktemp("project") / "boston")


def report_of(server: RunningServer) -> DriftReport:
    return read_drift(server.url, limits=Limits())


def send_rows(server: RunningServer) -> None:
    """Predict rows of which only the area differs from the training rows."""
    row = {"area": 500.0, "heating": "gas", "class": "A"}
    for _ in range(ROWS):
        assert server.predict(row).status_code == 200


def psi_of(training: tuple[int, ...], latest: tuple[int, ...]) -> float:
    shares = [
        (max(e / sum(training), 1e-4), max(o / sum(latest), 1e-4))
        for e, o in zip(training, latest, strict=True)
        if e or o
    ]
    return sum((o - e) * math.log(o / e) for e, o in shares)


def test_server_without_rows_has_no_psi(server: RunningServer) -> None:
    report = report_of(server)
    assert report.rows == 0
    assert {each.feature for each in report.features} == set(NAMES)
    assert {each.psi for each in report.features} == {None}
    assert "Too few rows" in str(report.reason)


def test_distributions_are_those_of_the_requests(server: RunningServer) -> None:
    send_rows(server)
    report = report_of(server)
    assert report.rows == ROWS
    assert report.reason is None
    reference = make_reference(DATASET, GoldenSource.DATA)
    for each in report.features:
        expected = reference.features[each.feature]
        assert each.training == (*expected.counts, expected.missing)
        assert len(each.bins) == len(each.training) == len(each.latest)
        assert each.psi == pytest.approx(psi_of(each.training, each.latest))
    area = next(each for each in report.features if each.feature == "area")
    assert area.latest == (0,) * 9 + (ROWS, 0)
    assert area.bins[0] == f"up to {reference.features['area'].edges[0]:g}"
    assert area.level is DriftLevel.LARGE
    town = next(each for each in report.features if each.feature == "town")
    assert town.bins == ("unknown texts", "Ulm", "Bonn", "Köln, Süd", "missing")
    assert town.latest == (0, 0, 0, 0, ROWS)


def test_command_shows_and_prints_the_report(
    server: RunningServer, project: ProjectDirectory
) -> None:
    output = project.run_ok("drift", "--url", server.url)
    lines = output.out.splitlines()
    assert f"rows     {ROWS}" in lines
    (area,) = [line for line in lines if line.startswith("area")]
    assert area.split()[2] == "large"
    assert area.endswith("·········█·")
    fields = project.run_ok("drift", "--url", server.url, "--json").json
    assert fields["rows"] == ROWS
    features = fields["features"]
    assert isinstance(features, list)
    assert [each["psi"] for each in features] == sorted(
        (each["psi"] for each in features), reverse=True
    )
    nobody = project.run("drift", "--url", f"http://127.0.0.1:{free_port()}", "--json")
    assert nobody.status == 8
    assert "No server responds" in json.loads(nobody.out)["error"]["message"]


def test_bundle_of_earlier_version_has_no_drift(server: RunningServer, tmp_path: Path) -> None:
    earlier = make_bundle(tmp_path)
    promote(LocalStore(server.output.parent / "store"), earlier)
    server.wait_for(model_digest=earlier.digest)
    report = report_of(server)
    assert report.model_digest == earlier.digest
    assert report.features == ()
    assert "no reference" in str(report.reason)


@pytest.fixture
def other_server() -> Iterator[str]:
    """A server that answers every GET with status 404."""
    with HTTPServer(("127.0.0.1", 0), _NoPaths) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _NoPaths(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)


def test_other_servers_are_named(server: RunningServer, other_server: str) -> None:
    with pytest.raises(UsageError, match="reports no drift: it has no /drift"):
        read_drift(other_server, limits=Limits())
    with pytest.raises(ServerUnreachableError, match="gives no usable answer at /drift"):
        read_drift(server.url, limits=Limits(answer_bytes=10))


@pytest.mark.parametrize(
    ("psi", "level"), [(None, "unknown"), (0.05, "none"), (0.2, "moderate"), (0.3, "large")]
)
def test_level_of_drift(psi: float | None, level: str) -> None:
    assert FeatureDrift(feature="a", psi=psi, bins=(), training=(), latest=()).level == level
