"""Errors of unusable kubeconfigs and of servers that are not a Kubernetes API server."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from housectl.errors import ExitStatus
from tools.kubeconfig import kubeconfig
from tools.project_directory import ProjectDirectory, example

pytestmark = pytest.mark.slow

UNREADABLE = ["not: [yaml", "[]", "{}", "", "apiVersion: v1\nkind: Config\nclusters: 3\n"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    return example(".", tmp_path_factory.mktemp("nowhere") / "boston", backend="katib")


def write_kubeconfig(path: Path, server: str) -> str:
    path.write_text(kubeconfig({"server": server}, user={"token": "secret-token"}))
    return str(path)


def error_of(project: ProjectDirectory, kubeconfig: str, *options: str) -> dict[str, object]:
    result = project.run("list", "--json", *options, KUBECONFIG=kubeconfig)
    assert result.status == ExitStatus.CLUSTER, result
    assert "Traceback" not in result.err
    error = result.json["error"]
    assert isinstance(error, dict)
    return error


@pytest.mark.parametrize("content", UNREADABLE)
def test_unreadable_kubeconfig(content: str, project: ProjectDirectory, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(content)
    error = error_of(project, str(file))
    assert error["reference"] == "cluster-unreachable"
    assert "kube" in str(error["message"])


def test_missing_kubeconfig(project: ProjectDirectory, tmp_path: Path) -> None:
    error = error_of(project, str(tmp_path / "absent"))
    assert str(error["message"]).startswith("No cluster is configured:")
    assert str(error["hint"]).startswith("minikube start")


def test_unknown_context(project: ProjectDirectory, tmp_path: Path) -> None:
    file = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    error = error_of(project, file, "--context", "elsewhere")
    assert "elsewhere" in str(error["message"])
    assert error["hint"] == "kubectl config get-contexts"


def test_closed_port_keeps_the_reason_short(project: ProjectDirectory, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    error = error_of(project, write_kubeconfig(tmp_path / "config", url))
    assert error["message"] == f"The cluster at {url} does not answer: Connection refused."
    assert str(error["hint"]).startswith("kubectl --context here cluster-info")


class _FixedResponse(BaseHTTPRequestHandler):
    """Sends the same status and content for every request."""

    response = (200, b"")

    def do_GET(self) -> None:
        status, content = self.response
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class _TruncatedResponse(BaseHTTPRequestHandler):
    """Sends these bytes, and closes the connection, as a killed API server does."""

    content = b""

    def do_GET(self) -> None:
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def truncating_server(content: bytes) -> Iterator[str]:
    handler = type("Handler", (_TruncatedResponse,), {"content": content})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{",
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"items',
    ],
    ids=["nothing", "chunks", "chunk", "body"],
)
def test_truncated_response_is_described_in_plain_words(
    content: bytes, project: ProjectDirectory, tmp_path: Path
) -> None:
    with truncating_server(content) as url:
        error = error_of(project, write_kubeconfig(tmp_path / "config", url))
    assert error["reference"] == "cluster-unreachable"
    assert error["message"] == (
        f"The cluster at {url} does not answer: it closed the connection before the end of its "
        "response."
    )


@contextmanager
def server_with_response(status: int, content: bytes) -> Iterator[str]:
    handler = type("Handler", (_FixedResponse,), {"response": (status, content)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("response", "reference"),
    [
        ((401, b'{"message":"Unauthorized"}'), "cluster-forbidden"),
        ((404, b"404 page not found\n"), "katib-missing"),
        ((500, b"<html>oops</html>"), "cluster"),
        ((503, b""), "cluster"),
        ((200, b"<html>a login page</html>"), "cluster"),
        ((200, b"[]"), "cluster"),
    ],
)
def test_unexpected_responses(
    response: tuple[int, bytes],
    reference: str,
    project: ProjectDirectory,
    tmp_path: Path,
) -> None:
    with server_with_response(*response) as url:
        error = error_of(project, write_kubeconfig(tmp_path / "config", url))
    assert error["reference"] == reference
    assert "secret-token" not in json.dumps(error)
