"""A small API server: objects by their paths, which clients can read, patch and delete."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from tools.kube_api.selectors import labels_match
from tools.kubeconfig import kubeconfig

Objects = dict[str, dict[str, object]]


class ApiServer(ThreadingHTTPServer):
    """Serves objects by their paths; a path that ends like a kind is a list.

    Args:
        objects: Objects by path; a client's patches change them.
        forbidden: Start of the paths that the user may not read.
    """

    daemon_threads = True

    def __init__(self, objects: Objects, forbidden: str = "/forbidden") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects = objects
        self.forbidden = forbidden


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith(self.server.forbidden):
            message = 'User "x" cannot get resource "deployments"'
            self._answer(403, {"message": message})
        elif path in self.server.objects:
            self._answer(200, self.server.objects[path])
        else:
            self._answer(404, {"message": f"{path} not found"})

    def do_PATCH(self) -> None:
        change = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        merge(self.server.objects[self.path], change)
        self._answer(200, self.server.objects[self.path])

    def do_DELETE(self) -> None:
        url = urlsplit(self.path)
        selector = parse_qs(url.query).get("labelSelector", [""])[0]
        path, name = (url.path, "") if selector else url.path.rsplit("/", 1)
        items = self.server.objects[path]["items"]
        assert isinstance(items, list)
        items[:] = [
            item
            for item in items
            if not labels_match(item, selector) or name not in {"", item["metadata"]["name"]}
        ]
        self._answer(200, {})

    def _answer(self, status: int, content: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        pass


def merge(target: dict[str, object], change: Mapping[str, object]) -> None:
    """Apply a merge patch to an object."""
    for key, value in change.items():
        inner = target.get(key)
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(inner, dict):
            merge(inner, value)
        else:
            target[key] = value


@contextmanager
def serving(server: ThreadingHTTPServer, directory: Path) -> Iterator[str]:
    """Serve, and yield the path of a kubeconfig whose context is `here`."""
    url = f"http://127.0.0.1:{server.server_port}"
    (directory / "config").write_text(kubeconfig({"server": url}))
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield str(directory / "config")
        server.shutdown()
