"""What doctor says where there is no cluster, or one without Katib."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from housectl.errors import ExitStatus
from tests.test_end_to_end import free_port
from tools.project_directory import CommandOutput, ProjectDirectory, example

Row = dict[str, str]
AFTER = (
    *(
        "permissions",
        "Katib",
        "database",
        "namespace",
        "pvc",
        "algorithm",
        "capacity",
        "search",
        "image",
    ),
    "collector",
)


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    return example(".", tmp_path / "boston", backend="katib")


def kubeconfig(path: Path, port: int) -> str:
    path.write_text(
        json.dumps(
            {
                "current-context": "here",
                "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                "users": [{"name": "me", "user": {}}],
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            }
        )
    )
    return str(path)


def rows(answer: CommandOutput) -> dict[str, Row]:
    checks = answer.json["checks"]
    assert isinstance(checks, list)
    return {check["check"]: check for check in checks}


@pytest.fixture
def empty_cluster() -> Iterator[int]:
    """The port of an API server that has not a single kind."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/version"
            if known:
                self._answer(200, b'{"gitVersion": "v1.99.0"}')
            else:
                self._answer(404, b"404 page not found\n")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(201, b'{"status": {"allowed": true}}')

        def _answer(self, status: int, said: bytes) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_a_cluster_that_does_not_answer(project: ProjectDirectory, tmp_path: Path) -> None:
    port = free_port()
    answer = project.run("doctor", "--json", KUBECONFIG=kubeconfig(tmp_path / "config", port))
    found = rows(answer)
    assert answer.status == ExitStatus.CLUSTER
    assert found["cluster"]["result"] == "failed"
    assert f"http://127.0.0.1:{port} does not answer" in found["cluster"]["found"]
    assert found["cluster"]["hint"].startswith("kubectl --context here cluster-info")
    assert {found[name]["result"] for name in AFTER} == {"skipped"}
    assert found["data"]["result"] == "ok"


def test_a_context_that_is_none(project: ProjectDirectory, tmp_path: Path) -> None:
    config = kubeconfig(tmp_path / "config", free_port())
    answer = project.run("doctor", "--json", "--context", "there", KUBECONFIG=config)
    found = rows(answer)["cluster"]
    assert answer.status == ExitStatus.CLUSTER
    assert "no usable context 'there'" in found["found"]
    assert found["hint"] == "kubectl config get-contexts"


def test_a_machine_without_a_kubeconfig(project: ProjectDirectory, tmp_path: Path) -> None:
    answer = project.run("doctor", "--json", KUBECONFIG=str(tmp_path / "none"))
    found = rows(answer)["cluster"]
    assert answer.status == ExitStatus.CLUSTER
    assert found["found"].startswith("No cluster is configured")


def test_a_cluster_without_katib(
    project: ProjectDirectory, tmp_path: Path, empty_cluster: int
) -> None:
    config = kubeconfig(tmp_path / "config", empty_cluster)
    answer = project.run("doctor", "--json", KUBECONFIG=config)
    found = rows(answer)
    assert answer.status == ExitStatus.CLUSTER
    assert found["cluster"]["found"].startswith("Kubernetes v1.99.0 at")
    assert found["Katib"]["result"] == "failed"
    assert found["Katib"]["found"].startswith("The cluster has no Katib: it does not serve")
    assert found["Katib"]["hint"].startswith("kubectl --context here apply -k")
    assert found["database"]["found"] == "needs Katib"
    tuned = project.run("tune", KUBECONFIG=config)
    assert tuned.status == ExitStatus.CLUSTER
    assert "The cluster has no Katib" in tuned.err
    assert "docs/errors.md#katib-missing" in tuned.err


def test_data_that_cannot_be_trained_on_keeps_the_rest_from_nothing(
    project: ProjectDirectory, tmp_path: Path, empty_cluster: int
) -> None:
    (project.path / "data.csv").write_text("a\n1\n")
    config = kubeconfig(tmp_path / "config", empty_cluster)
    answer = project.run("doctor", "--json", KUBECONFIG=config)
    found = rows(answer)
    assert answer.status == ExitStatus.USAGE
    assert found["permissions"]["result"] == "ok"
    assert found["capacity"]["found"] == "needs data"


def test_the_local_backend_has_checks_of_its_own(project: ProjectDirectory) -> None:
    found = rows(project.run("doctor", "--json", "--backend", "local"))
    assert {"training libraries", "cores", "data"} <= set(found)
    assert not set(AFTER) & set(found)
