"""An HTTP proxy before an S3 server, which records the requests and injects faults."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tools.s3_server import S3Server

_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class ErrorAnswer:
    """An error that an S3 server answers without doing anything."""

    status: int
    code: str

    @property
    def body(self) -> bytes:
        return f"<Error><Code>{self.code}</Code><Message>injected</Message></Error>".encode()


class Fault(Enum):
    """A fault of one request.

    CUT_BEFORE closes the connection without forwarding the request. CUT_AFTER forwards the
    request and loses the answer. TRUNCATE closes the connection in the middle of the answer's body.
    ENDLESS sends a body without an end after headers with a small size. HOLD forwards and answers
    nothing until the proxy ends. HOLD_ANSWER forwards the request.
    IGNORE_CONDITION forwards it without its If-None-Match; a server that checks signatures then
    refuses it. CONFLICT, EXISTS and IGNORE_CONDITION affect conditional requests only.
    """

    CUT_BEFORE = "cut before"
    CUT_AFTER = "cut after"
    TRUNCATE = "truncate"
    ENDLESS = "endless"
    HOLD = "hold"
    HOLD_ANSWER = "hold answer"
    IGNORE_CONDITION = "ignore condition"
    CONFLICT = ErrorAnswer(status=409, code="ConditionalRequestConflict")
    EXISTS = ErrorAnswer(status=412, code="PreconditionFailed")
    SLOW_DOWN = ErrorAnswer(status=503, code="SlowDown")
    FORBIDDEN = ErrorAnswer(status=403, code="AccessDenied")


_OF_CONDITIONS = {Fault.CONFLICT, Fault.EXISTS, Fault.IGNORE_CONDITION}


@dataclass(frozen=True, kw_only=True)
class S3Request:
    """A request to an S3 server.

    Attributes:
        operation: Method of the request; LIST for a listing.
        key: Key of the object; prefix of a listing.
        is_conditional: True if the request creates a key that must not exist.
    """

    operation: str
    key: str
    is_conditional: bool


@dataclass(kw_only=True)
class S3Proxy:
    """A running proxy.

    Attributes:
        server: The server that clients of the proxy use.
        requests: The requests since `forget_requests()`, in the order of their arrival.
        faults: Number of requests with a fault among them.
        held: Number of requests that are held.
        choose_fault: Returns the fault of a request; None forwards it.
    """

    server: S3Server
    requests: list[S3Request] = field(default_factory=list)
    faults: int = 0
    held: int = 0
    choose_fault: Callable[[S3Request], Fault | None] = lambda _: None
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    def forget_requests(self) -> None:
        """Begin to record again."""
        self.requests.clear()
        self.faults = 0

    def fail_nth(self, number: int, fault: Fault) -> None:
        """Inject a fault into one request: 0 is the next one."""
        target = len(self.requests) + number
        self.choose_fault = lambda _: fault if len(self.requests) == target else None

    def fail_all(self, fault: Fault) -> None:
        """Inject a fault into all requests from now on."""
        self.choose_fault = lambda _: fault

    def fail_none(self) -> None:
        """Forward all requests from now on."""
        self.choose_fault = lambda _: None

    def receive(self, request: S3Request) -> Fault | None:
        """Record a request, and return its fault."""
        with self.lock:
            fault = self.choose_fault(request)
            if fault in _OF_CONDITIONS and not request.is_conditional:
                fault = None
            self.requests.append(request)
            self.faults += fault is not None
        return fault

    def hold(self) -> None:
        """Wait until the proxy ends."""
        self.held += 1
        self.ended.wait()


@contextmanager
def s3_proxy(upstream: S3Server) -> Iterator[S3Proxy]:
    """Run a proxy before a server during the block."""
    with _ProxyServer(upstream) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield http.proxy
        finally:
            http.proxy.ended.set()
            http.shutdown()
            thread.join()


class _ProxyServer(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, upstream: S3Server) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream.url).netloc
        self.proxy = S3Proxy(server=S3Server(url=f"http://127.0.0.1:{self.server_port}"))

    def handle_error(self, *_: object) -> None:
        """Ignore errors of connections: killed clients and killed servers cause them."""


class _Handler(BaseHTTPRequestHandler):
    server: _ProxyServer
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT_SECONDS

    def forward(self) -> None:
        """Answer one request, and close the connection."""
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        fault = self.server.proxy.receive(self._parse_request())
        match fault:
            case Fault.CUT_BEFORE:
                return
            case Fault.HOLD:
                self.server.proxy.hold()
            case Fault(value=ErrorAnswer() as answer):
                self._reply(answer.status, {"content-type": "application/xml"}, answer.body)
            case _:
                self._forward(body, fault)

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = forward  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _parse_request(self) -> S3Request:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        is_listing = "list-type" in query
        _, _, key = unquote(url.path).lstrip("/").partition("/")
        return S3Request(
            operation="LIST" if is_listing else self.command,
            key=query.get("prefix", [""])[0] if is_listing else key,
            is_conditional="if-none-match" in self.headers,
        )

    def _forward(self, body: bytes, fault: Fault | None) -> None:
        """Forward a request with its own headers: the signature includes them, and the host."""
        ignored = {"connection", "if-none-match" if fault is Fault.IGNORE_CONDITION else ""}
        upstream = HTTPConnection(self.server.upstream, timeout=_TIMEOUT_SECONDS)
        with closing(upstream):
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ignored:
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            response = upstream.getresponse()
            content = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
        match fault:
            case Fault.CUT_AFTER:
                return
            case Fault.HOLD_ANSWER:
                self.server.proxy.hold()
            case Fault.TRUNCATE:
                headers.setdefault("content-length", str(len(content)))
                self._reply(response.status, headers, content[: len(content) // 2])
            case Fault.ENDLESS:
                self._reply_endlessly({**headers, "transfer-encoding": "chunked"})
            case _:
                self._reply(response.status, headers, content)

    def _reply_endlessly(self, headers: Mapping[str, str]) -> None:
        self.send_response_only(HTTPStatus.OK)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        while not self.server.proxy.ended.is_set():
            self.wfile.write(b"10000\r\n%b\r\n" % bytes(0x10000))

    def _reply(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response_only(status)
        hop_by_hop = {"connection", "keep-alive", "transfer-encoding"}
        for name, value in {"content-length": str(len(content)), **headers}.items():
            if name not in hop_by_hop:
                self.send_header(name, value)
        self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
