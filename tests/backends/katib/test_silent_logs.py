"""A task whose log is unavailable for a moment, because its node's kubelet does not respond."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event

import pytest

from housectl.backends.base import Snapshot, Task
from housectl.backends.katib.backend import KatibBackend
from housectl.contract.inputs import Inputs
from housectl.errors import TaskFailedError
from housectl.experiment import Experiment
from housectl.kube.client import Kube
from housectl.project.fields import KatibSettings
from housectl.seal_tasks import SealTaskRunner
from tests.backends.katib.api_server import serving
from tests.backends.workloads import seal_task

SETTINGS = KatibSettings(namespace="here", image="trainer:1")
POD = {"metadata": {"name": "seal-x", "uid": "1"}, "status": {"phase": "Running"}}
FAILED = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}


class Cluster(ThreadingHTTPServer):
    """An API server with one task that fails after the first failed request for its log."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.job: dict[str, object] = {}
        self.log_requested = Event()

    def objects(self, kind: str) -> list[dict[str, object]]:
        status = FAILED if self.log_requested.is_set() else {}
        return {"jobs": [{**self.job, "status": status}], "pods": [POD]}.get(kind, [])


class _Handler(BaseHTTPRequestHandler):
    server: Cluster

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        kind = path.rpartition("/")[2]
        if kind == "log":
            self.server.log_requested.set()
            self._answer(500, {"message": "dial tcp 10.0.0.7:10250: connect: no route to host"})
        elif "watch=true" in query:
            self._watch(kind)
        else:
            items = self.server.objects(kind)
            self._answer(200, {"metadata": {"resourceVersion": "1"}, "items": items})

    def _watch(self, kind: str) -> None:
        self.server.log_requested.wait()
        self.send_response(200)
        self.end_headers()
        for item in self.server.objects(kind):
            self.wfile.write(json.dumps({"type": "MODIFIED", "object": item}).encode() + b"\n")

    def _answer(self, status: int, content: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        pass


class LogCollector:
    """A progress reporter that collects the last log line of every snapshot."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_experiment(self, experiment: Experiment, snapshot: Snapshot) -> None:
        raise AssertionError(experiment, snapshot)

    def on_task(self, task: Task, snapshot: Snapshot, last_log_line: Callable[[], str]) -> None:
        assert task.name == "seal", snapshot
        self.lines.append(last_log_line())


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    server = Cluster()
    with serving(server, tmp_path) as kubeconfig:
        monkeypatch.setenv("KUBECONFIG", kubeconfig)
        yield server


def test_waiting_continues_while_log_is_unavailable(
    cluster: Cluster, inputs: Inputs, tmp_path: Path
) -> None:
    kube = Kube(context=None, namespace="here")
    backend = KatibBackend(kube, settings=SETTINGS, inputs=tmp_path)
    task = seal_task("seal", {"n_estimators": 5})
    cluster.job = dict(backend.plan(task, inputs=inputs, image=None).manifests()[0])
    progress = LogCollector()
    tasks = SealTaskRunner(backend=backend, progress=progress, temp_root=tmp_path)
    with pytest.raises(TaskFailedError, match="seal failed"), tasks.run_seal_task(task, inputs):
        raise AssertionError
    assert len(progress.lines) >= 2
    assert set(progress.lines) == {""}
