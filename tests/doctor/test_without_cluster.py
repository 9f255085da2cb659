"""`housectl doctor` without a cluster, or with a cluster without Katib."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from housectl.errors import ExitStatus
from tools.kubeconfig import kubeconfig
from tools.project_directory import CommandOutput, ProjectDirectory, example
from tools.server_process import free_port

Row = dict[str, str]
CLUSTER_DEPENDENT_CHECKS = (
    "permissions",
    "katib",
    "database",
    "namespace",
    "pvc",
    "algorithm",
    "capacity",
    "search",
    "image",
    "collector",
)


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    return example(".", tmp_path / "boston", backend="katib")


def write_kubeconfig(path: Path, port: int) -> str:
    path.write_text(kubeconfig({"server": f"http://127.0.0.1:{port}"}))
    return str(path)


def checks_by_name(output: CommandOutput) -> dict[str, Row]:
    checks = output.json["checks"]
    assert isinstance(checks, list)
    return {check["check"]: check for check in checks}


@pytest.fixture
def empty_cluster() -> Iterator[int]:
    """The port of an API server that serves no kinds."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/version":
                self._respond(200, b'{"gitVersion": "v1.99.0"}')
            else:
                self._respond(404, b"404 page not found\n")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._respond(201, b'{"status": {"allowed": true}}')

        def _respond(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_unreachable_cluster(project: ProjectDirectory, tmp_path: Path) -> None:
    port = free_port()
    output = project.run("doctor", "--json", KUBECONFIG=write_kubeconfig(tmp_path / "config", port))
    checks = checks_by_name(output)
    assert output.status == ExitStatus.CLUSTER
    assert checks["cluster"]["result"] == "failed"
    assert f"http://127.0.0.1:{port} does not answer" in checks["cluster"]["found"]
    assert checks["cluster"]["hint"].startswith("kubectl --context here cluster-info")
    assert {checks[name]["result"] for name in CLUSTER_DEPENDENT_CHECKS} == {"skipped"}
    assert checks["data"]["result"] == "ok"


def test_unknown_context(project: ProjectDirectory, tmp_path: Path) -> None:
    config = write_kubeconfig(tmp_path / "config", free_port())
    output = project.run("doctor", "--json", "--context", "there", KUBECONFIG=config)
    cluster = checks_by_name(output)["cluster"]
    assert output.status == ExitStatus.CLUSTER
    assert "no usable context 'there'" in cluster["found"]
    assert cluster["hint"] == "kubectl config get-contexts"


def test_missing_kubeconfig(project: ProjectDirectory, tmp_path: Path) -> None:
    output = project.run("doctor", "--json", KUBECONFIG=str(tmp_path / "none"))
    cluster = checks_by_name(output)["cluster"]
    assert output.status == ExitStatus.CLUSTER
    assert cluster["found"].startswith("No cluster is configured")


def test_cluster_without_katib(
    project: ProjectDirectory, tmp_path: Path, empty_cluster: int
) -> None:
    config = write_kubeconfig(tmp_path / "config", empty_cluster)
    output = project.run("doctor", "--json", KUBECONFIG=config)
    checks = checks_by_name(output)
    assert output.status == ExitStatus.CLUSTER
    assert checks["cluster"]["found"].startswith("Kubernetes v1.99.0 at")
    assert checks["katib"]["result"] == "failed"
    assert checks["katib"]["found"].startswith("The cluster has no Katib: it does not serve")
    assert checks["katib"]["hint"].startswith("kubectl --context here apply -k")
    assert checks["database"]["found"] == "needs katib"
    tuned = project.run("tune", KUBECONFIG=config)
    assert tuned.status == ExitStatus.CLUSTER
    assert "The cluster has no Katib" in tuned.err
    assert "docs/errors.md#katib-missing" in tuned.err


def test_invalid_data_skips_only_dependent_checks(
    project: ProjectDirectory, tmp_path: Path, empty_cluster: int
) -> None:
    (project.path / "data.csv").write_text("a\n1\n")
    config = write_kubeconfig(tmp_path / "config", empty_cluster)
    output = project.run("doctor", "--json", KUBECONFIG=config)
    checks = checks_by_name(output)
    assert output.status == ExitStatus.USAGE
    assert checks["permissions"]["result"] == "ok"
    assert checks["capacity"]["found"] == "needs data"


def test_local_backend_has_own_checks(project: ProjectDirectory) -> None:
    checks = checks_by_name(project.run("doctor", "--json", "--backend", "local"))
    assert {"training libraries", "cores", "data"} <= set(checks)
    assert not set(CLUSTER_DEPENDENT_CHECKS) & set(checks)
