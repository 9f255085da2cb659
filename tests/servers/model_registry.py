"""A model registry as a process of its own, with faults: a database that is away, cut connections.

`python -m tests.servers.model_registry PORT` runs it. `model_registry` starts it for a test.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock
from typing import Literal

import httpx

from tests.servers.registry_answers import API, Registry
from tests.servers.registry_errors import JSON, TEXT, Reply, go_json
from tools.project_directory import ROOT
from tools.server_process import free_port, server_process

CONTROL = "/control"

_CONNECTION_REFUSED = (
    "failed to connect to `user=model_registry database=model_registry`: 127.0.0.1:55433 "
    "(127.0.0.1): dial error: dial tcp 127.0.0.1:55433: connect: connection refused"
)
_DATABASE_AWAY = {
    "/readyz/health": "failed to list registered models: error listing registered models: "
    + _CONNECTION_REFUSED,
    "/readyz/isDirty": f"schema_migrations query error: {_CONNECTION_REFUSED}",
}
_DRIP_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Faults:
    """The faults of a server. By default it has none.

    Attributes:
        database: `away`: it was there before; `starting`: the server was started without it.
        cut: Number of the request, counted from 1, whose connection is cut; 0 for none.
        when: Cut the connection before the request has its effect, or after it.
        rival: Create each object just before a request that creates it, as a faster client would.
        drop: Number of changes of a model after which another owner's PATCH drops our properties.
        hang: Path of requests that are never answered.
        stream: Send the head of each answer byte by byte, or an answer without end.
        token: Bearer token that a proxy before the registry requires.
        read_only: Refuse to write, as such a proxy does.
        reply: Status, headers and body of the answer to requests whose path contains `path`. They
            have no effect.
        path: Part of these paths.
    """

    database: Literal["up", "away", "starting"] = "up"
    cut: int = 0
    when: Literal["before", "after"] = "before"
    rival: bool = False
    drop: int = 0
    hang: str | None = None
    stream: Literal["drip", "endless"] | None = None
    token: str | None = None
    read_only: bool = False
    reply: tuple[int, Mapping[str, str], str] | None = None
    path: str = ""


@dataclass(frozen=True)
class LoggedRequest:
    """A request that the server received."""

    method: str
    target: str
    body: str
    status: int

    @property
    def is_write(self) -> bool:
        return self.method in {"POST", "PATCH"} and self.status in {200, 201}


@dataclass(frozen=True)
class RegistryServer:
    """A running server, and requests to it as its other clients send them."""

    url: str
    client: httpx.Client

    def set_faults(self, **faults: object) -> None:
        """Replace all faults, and forget the received requests."""
        self._control("POST", faults)

    def reset(self) -> None:
        """Remove all objects and faults."""
        self._control("DELETE")

    def requests(self) -> list[LoggedRequest]:
        """Return the requests since `set_faults`."""
        return [LoggedRequest(**each) for each in self._control("GET")]

    def writes(self) -> list[str]:
        """Return the method and path of each successful write since `set_faults`."""
        return [f"{each.method} {each.target}" for each in self.requests() if each.is_write]

    def send(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        """Send a request as the recorded ones are: the path is below the API, except for health."""
        base = "" if path.startswith("/readyz") or path == "/" else API
        return self.client.request(method, f"{base}{path}", content=body)

    def api(self, method: str, path: str, **fields: object) -> dict[str, object]:
        """Send a request that succeeds, and return the object of the answer."""
        response = self.send(method, path, json.dumps(fields).encode() if fields else b"")
        assert response.is_success, response.text
        content: dict[str, object] = response.json()
        return content

    def items(self, path: str) -> list[dict[str, object]]:
        """Return all objects of a list."""
        found = self.api("GET", path)["items"]
        assert isinstance(found, list)
        return found

    def content(self) -> object:
        """Return all objects, without their times."""
        return self._control("PUT")

    def _control(self, method: str, body: object = None) -> list[dict[str, object]]:
        response = self.client.request(method, CONTROL, content=json.dumps(body))
        content: list[dict[str, object]] = response.json()
        return content


@contextmanager
def model_registry(log: Path) -> Iterator[RegistryServer]:
    """Run a model registry during the block."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "tests.servers.model_registry", str(port)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (
        server_process(command, url=f"{url}/", log=log, environment=environment),
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield RegistryServer(url, client)


class RegistryHttpServer(ThreadingHTTPServer):
    """The registry with its faults, and the requests since they were set."""

    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.registry = Registry()
        self._lock = Lock()
        self.set_faults(Faults())

    def set_faults(self, faults: Faults) -> None:
        with self._lock:
            self.faults = faults
            self.log: list[LoggedRequest] = []
            self._received = 0
            self._drops = faults.drop

    def is_cut(self, when: str, number: int) -> bool:
        return (self.faults.cut, self.faults.when) == (number, when)

    def next_number(self) -> int:
        with self._lock:
            self._received += 1
            return self._received

    def answer(self, method: str, target: str, body: bytes, token: str | None) -> Reply:
        faults = self.faults
        path = target.partition("?")[0]
        if faults.token is not None and token != f"Bearer {faults.token}":
            return Reply(401, TEXT, "Jwt is missing")
        if faults.read_only and method != "GET":
            return Reply(403, TEXT, "RBAC: access denied")
        if (faults.database == "starting" and path in _DATABASE_AWAY) or path == faults.hang:
            Event().wait()
        if faults.database != "up":
            return self._answer_without_database(method, target, body)
        if faults.rival and method == "POST":
            self.registry.answer(method, target, body)
        reply = self.registry.answer(method, target, body)
        if method == "PATCH" and "/registered_models/" in path and reply.status == 200:
            self._drop_properties(target)
        return reply

    def _drop_properties(self, target: str) -> None:
        """Change a model as another owner does, who read it before our change."""
        with self._lock:
            is_dropped, self._drops = self._drops > 0, self._drops - 1
        if is_dropped:
            theirs = {"metadataType": "MetadataStringValue", "string_value": "theirs"}
            body = json.dumps({"customProperties": {"theirs": theirs}}).encode()
            self.registry.answer("PATCH", target, body)

    def _answer_without_database(self, method: str, target: str, body: bytes) -> Reply:
        if self.faults.database == "starting":
            return Reply(503, TEXT, "Datastore service is down or unavailable. Please check")
        path = target.partition("?")[0]
        if path in _DATABASE_AWAY:
            return Reply(503, TEXT, _DATABASE_AWAY[path])
        reply = Registry().answer(method, target, body)
        if reply.status == 404 and path != f"{API}/registered_model" and "/model_" not in path:
            return reply
        if path == f"{API}/registered_model":
            message = "type mismatch or invalid value in comparison: bad request"
            return Reply(400, JSON, go_json({"code": "Bad Request", "message": message}))
        if reply.status in {400, 422} or (reply.status == 404 and path.rsplit("/")[-1].isdecimal()):
            return reply
        message = "FATAL: terminating connection due to administrator command (SQLSTATE 57P01)"
        content = {"code": "Internal Server Error", "message": message}
        return Reply(500, JSON, go_json(content))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: RegistryHttpServer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == CONTROL:
            self._send(200, {"content-type": JSON}, go_json(self._control(body)))
            return
        faults = self.server.faults
        if faults.reply is not None and faults.path in self.path:
            self._send(*faults.reply)
            return
        number = self.server.next_number()
        if self.server.is_cut("before", number):
            self.close_connection = True
            return
        reply = self.server.answer(self.command, self.path, body, self.headers["authorization"])
        text = body.decode("utf-8", "replace")
        self.server.log.append(LoggedRequest(self.command, self.path, text, reply.status))
        if self.server.is_cut("after", number):
            self.close_connection = True
        else:
            self._answer(reply)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _control(self, body: bytes) -> object:
        server = self.server
        if self.command == "POST":
            server.set_faults(Faults(**json.loads(body)))
        if self.command == "DELETE":
            server.registry = Registry()
            server.set_faults(Faults())
        if self.command == "PUT":
            return [server.registry.models, server.registry.versions, server.registry.artifacts]
        return [asdict(each) for each in server.log]

    def _answer(self, reply: Reply) -> None:
        if (stream := self.server.faults.stream) is not None:
            self._stream(stream)
        else:
            media_type = {"content-type": reply.media_type} if reply.media_type else {}
            self._send(reply.status, media_type, reply.text)

    def _stream(self, kind: str) -> None:
        """Send an answer until the client closes the connection."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.send_response(200)
            if kind == "endless":
                self.end_headers()
            else:
                self.flush_headers()
                self.wfile.write(b"x-slow: ")
            while True:
                self.wfile.write(b"a" if kind == "drip" else b"a" * 65536)
                time.sleep(_DRIP_SECONDS if kind == "drip" else 0)

    def _send(self, status: int, headers: Mapping[str, str], text: str) -> None:
        body = text.encode("utf-8", "surrogateescape")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    RegistryHttpServer(int(sys.argv[1])).serve_forever()
