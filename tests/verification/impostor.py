"""HTTP servers that pretend to be the champion's server, and proxies that change its answers."""

import http.client
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """A request that an impostor received; `client` is the port of the connection."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    client: int

    @property
    def is_prediction(self) -> bool:
        """True for a request with one row."""
        return self.path == "/predict" and not self.is_array

    @property
    def is_array(self) -> bool:
        return self.body.startswith(b"[{")

    @property
    def row(self) -> dict[str, object]:
        """The JSON object of the body; empty if there is no object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Reply:
    """An answer. Chunks of an iterable are sent until the client closes the connection."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": JSON})

    @property
    def json(self) -> dict[str, object]:
        assert isinstance(self.body, bytes)
        value: dict[str, object] = json.loads(self.body)
        return value

    def with_json(self, value: object) -> "Reply":
        return replace(self, body=json.dumps(value).encode())

    def with_headers(self, **headers: str) -> "Reply":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **named})


Answer = Callable[[Request], Reply]


class Upstream:
    """The server behind a proxy."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    def __call__(self, request: Request) -> Reply:
        """Return the answer of the server to a request."""
        with closing(http.client.HTTPConnection(self._address)) as connection:
            headers = {"content-type": JSON}
            connection.request(request.method, request.path, request.body or None, headers)
            response = connection.getresponse()
            kept = {name: response.headers[name] for name in ("content-type", "x-model-digest")}
            present = {name: value for name, value in kept.items() if value is not None}
            return Reply(response.status, response.read(), present)


def adding_one(upstream: Upstream, *digests: str) -> Answer:
    """Return the answers of a server, with 1 added to the predictions of these models."""

    def answer(request: Request) -> Reply:
        reply = upstream(request)
        if request.is_prediction and reply.headers["x-model-digest"] in digests:
            wrong = {
                name: value + 1 if isinstance(value, float) else value
                for name, value in reply.json.items()
            }
            return reply.with_json(wrong)
        return reply

    return answer


@contextmanager
def impostor(answer: Answer) -> Iterator[str]:
    """Serve answers, and yield the URL."""
    server = _Server(answer)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body, self.client_address[1])
        self._send(self.server.answer(request))

    def do_POST(self) -> None:
        self.do_GET()

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
        else:
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.writelines(reply.body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer

    def handle_error(self, *_: object) -> None:
        """Ignore clients that close their connection."""
