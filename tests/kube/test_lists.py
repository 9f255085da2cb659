"""Lists in pages, and watches, against an API server in a process of its own."""

import json
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from housectl.backends.katib.katib_objects import TRIALS, KatibTrial
from housectl.backends.katib.state.experiment_reader import ExperimentReader
from housectl.backends.katib.volume.work_index import WorkIndex
from housectl.experiment import ExperimentState, TrialState
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS, PODS
from housectl.kube.objects.base import NamedObject, decode_page
from housectl.kube.objects.jobs import Job
from tests.backends.katib.api_server import serving
from tools.kube_api.long_search import Objects, long_search, trial_status
from tools.kube_api.running import kube_api
from tools.project_directory import example

pytestmark = pytest.mark.slow

TRIAL_COUNT, RUNNING = 1203, 2


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    project = example(".", tmp_path_factory.mktemp("rendered") / "boston", backend="katib")
    plan = project.run_ok(
        *("render", "--json", "--name", "long", "--trials", "1300", "--image", "registry/x:1")
    )
    experiment = yaml.safe_load(str(plan.json["document"]))
    return long_search(experiment, trials=TRIAL_COUNT, running=RUNNING)


@pytest.fixture(scope="module")
def kube(objects: Objects, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    with (
        kube_api(objects, tmp_path_factory.mktemp("api")) as kubeconfig,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("KUBECONFIG", str(kubeconfig))
        yield Kube(None, "kubeflow")


def test_list_is_read_in_pages(kube: Kube) -> None:
    trials = kube.list_as(TRIALS, KatibTrial)
    assert [trial.metadata.name for trial in trials[:2]] == ["long-0000", "long-0001"]
    assert len({trial.metadata.name for trial in trials}) == TRIAL_COUNT + RUNNING
    assert sum(trial.has_ended for trial in trials) == TRIAL_COUNT


def test_field_selectors_leave_out_successful_jobs_and_pods(kube: Kube) -> None:
    assert len(kube.list_as(JOBS, Job, fields="status.successful=0")) == RUNNING
    assert len(kube.list_as(PODS, NamedObject, fields="status.phase!=Succeeded")) == RUNNING


def test_snapshot_of_long_search(kube: Kube) -> None:
    reader = ExperimentReader(kube, WorkIndex(kube=kube, pvc="model-storage"))
    snapshot = reader.observe("long")
    assert snapshot.state is ExperimentState.RUNNING
    assert [trial.number for trial in snapshot.trials] == list(range(TRIAL_COUNT + RUNNING))
    assert snapshot.trials[-1].state is TrialState.RUNNING
    best = snapshot.best_trial
    assert best
    assert best.mse == min(trial.mse for trial in snapshot.trials if trial.mse is not None)


def test_waiting_command_reads_a_changed_trial(kube: Kube, objects: Objects) -> None:
    reader = ExperimentReader(kube, WorkIndex(kube=kube, pvc="model-storage"))
    before = reader.observe("long")
    reader.wait("long", before, timeout=0)
    path = TRIALS.path("kubeflow")
    changed = objects[path][-1]
    changed["status"] = trial_status(TRIAL_COUNT, succeeded=True)
    kube._connection.request(  # the server's own interface for tests
        "POST", f"/changes{path}", body={"type": "MODIFIED", "object": changed}
    )
    reader.wait("long", before, timeout=30)
    after = reader.observe("long")
    reader.forget("long")
    assert after.trials[-1].state is TrialState.SUCCEEDED


class _ForgetfulServer(BaseHTTPRequestHandler):
    """Forgets the version of a list after its first page."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        items = [{"metadata": {"name": name}} for name in ("first", "second")]
        if "continue" in query:
            self._answer(410, {"message": "The provided continue parameter is too old."})
        elif "limit" in query:
            self._answer(200, {"metadata": {"continue": "x"}, "items": items[:1]})
        else:
            self._answer(200, {"metadata": {"resourceVersion": "7"}, "items": items})

    def _answer(self, status: int, content: Mapping[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_expired_list_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ForgetfulServer)
    with serving(server, tmp_path) as kubeconfig:
        monkeypatch.setenv("KUBECONFIG", kubeconfig)
        listing = Kube(None, "x").list(PODS, NamedObject)
    assert [item.metadata.name for item in listing.items] == ["first", "second"]
    assert listing.version == "7"


@pytest.mark.parametrize("items", [b"null", b'[{"metadata":{"name":"a","labels":null}}]'])
def test_null_means_absent(items: bytes) -> None:
    page = decode_page(NamedObject, b'{"metadata":{"resourceVersion":"1"},"items":%b}' % items)
    assert [item.metadata.labels for item in page.items or ()] in ([], [{}])
