"""Connections of clients that are slow, silent, numerous or do not send HTTP."""

import json
import re
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from housectl.contract.bundle import Bundle
from housectl.store.local import LocalStore
from tests.server import few_files_server
from tests.server.bundles import make_bundle, promote
from tests.server.running import ROW, RunningServer, running, running_bundle, wait_until

FEW_FILES_SERVER = (few_files_server.__file__,)
ABORT = struct.pack("ii", 1, 0)
HEALTH = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 30\r\n"
CHUNKED = b"POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def server(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("connections")
    with running_bundle(path, bundle) as server:
        yield server


def read_to_end(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


def answer_to(server: RunningServer, *requests: bytes) -> bytes:
    """Return the bytes that the server sends until it closes the connection."""
    with server.connect() as connection:
        for request in requests:
            connection.sendall(request)
        return read_to_end(connection)


def get_health(connection: socket.socket) -> bytes:
    return exchange(connection, HEALTH, last=b'{"status":"live"}')


def exchange(connection: socket.socket, request: bytes, *, last: bytes) -> bytes:
    """Send a request, and return the answer, which ends with `last`."""
    connection.sendall(request)
    received = b""
    while not received.endswith(last):
        part = connection.recv(65536)
        assert part, "the server closed the connection"
        received += part
    return received


@pytest.mark.slow
def test_client_that_completes_no_request_is_disconnected(server: RunningServer) -> None:
    with ExitStack() as connections:
        silent, idle, slow_head, slow_body, busy = (
            connections.enter_context(closing(server.connect())) for _ in range(5)
        )
        get_health(idle)
        slow_head.sendall(HEAD[:1])
        slow_head.sendall(HEAD[1:])
        slow_body.sendall(HEAD + b"\r\n{")
        for _ in range(9):
            time.sleep(1)
            slow_head.sendall(b"x: y\r\n")
            slow_body.sendall(b" ")
            assert get_health(busy).startswith(b"HTTP/1.1 200 ")
        assert read_to_end(silent) == b""
        assert read_to_end(idle) == b""
        for slow in (slow_head, slow_body):
            assert read_to_end(slow).startswith(b"HTTP/1.1 408 ")
        assert get_health(busy).startswith(b"HTTP/1.1 200 ")


@pytest.mark.slow
def test_idle_time_does_not_shorten_the_time_of_a_request(server: RunningServer) -> None:
    body = json.dumps(ROW).encode()
    head = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    with server.connect() as connection:
        get_health(connection)
        time.sleep(7)
        connection.sendall(head)
        time.sleep(5)
        assert b"HTTP/1.1 200 " in exchange(connection, body, last=b"30.0}")


def test_client_may_close_after_a_refused_body(server: RunningServer) -> None:
    head = b"POST /predict HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(head % 3_000_000 + bytes(2_000_000))
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert "Traceback" not in server.log()


def test_silent_connections_leave_room_for_health_checks(
    store: LocalStore, bundle: Bundle, output: Path
) -> None:
    promote(store, bundle)
    with (
        running(store.path, output, program=FEW_FILES_SERVER) as server,
        ExitStack() as connections,
    ):
        busy = connections.enter_context(closing(server.connect()))
        silent = []
        for number in range(500):
            silent.append(connections.enter_context(closing(server.connect())))
            if number % 20 == 0:
                assert get_health(busy).startswith(b"HTTP/1.1 200 ")
            if number % 50 == 0:
                with server.connect() as probe:
                    assert get_health(probe).startswith(b"HTTP/1.1 200 ")
        assert server.predict().status_code == 200
        assert read_to_end(silent[0]) == b""
        assert get_health(silent[-1]).startswith(b"HTTP/1.1 200 ")
        assert server.log().count(f"{few_files_server.MAX_FILES // 2} connections are open") == 1


def test_incomplete_bodies_are_limited_together(server: RunningServer) -> None:
    size = 1024 * 1024
    part = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size + bytes(
        size - 1
    )
    with ExitStack() as connections:
        clients = [connections.enter_context(closing(server.connect())) for _ in range(70)]
        for client in clients:
            client.sendall(part)
        readable, _, _ = select.select(clients, [], [], 30)
        assert readable
        assert readable[0].recv(65536).startswith(b"HTTP/1.1 503 ")
        assert server.predict().status_code == 200
    wait_until(lambda: is_accepted(server, part))


def is_accepted(server: RunningServer, part: bytes) -> bool:
    """Return True if the server reads a large body, because other ones have ended."""
    with server.connect() as connection:
        connection.sendall(part + b" ")
        return connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_limit_of_open_files_is_raised(server: RunningServer) -> None:
    limits = Path(f"/proc/{server.process.pid}/limits")
    if not limits.exists():
        pytest.skip("the system has no /proc")
    match = re.search(r"Max open files +(\S+) +(\S+)", limits.read_text())
    assert match
    assert match[1] == match[2]


def test_request_has_at_most_100_headers(server: RunningServer) -> None:
    def request(count: int) -> bytes:
        return HEALTH[:-2] + b"x: y\r\n" * (count - 2) + b"connection: close\r\n\r\n"

    assert answer_to(server, request(100)).startswith(b"HTTP/1.1 200 ")
    for count in (101, 1_000, 60_000):
        assert answer_to(server, request(count)).startswith(b"HTTP/1.1 431 ")


def send_endlessly(connection: socket.socket, start: bytes) -> None:
    connection.sendall(start)
    while True:
        connection.sendall(b"x" * 4096)


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nx", b"GET / HTTP/1.1\r\nx: y"])
def test_head_of_a_request_is_limited(server: RunningServer, start: bytes) -> None:
    with server.connect() as connection, pytest.raises(OSError, match=r"reset|[Bb]roken"):
        send_endlessly(connection, start)


def test_long_head_in_many_pieces_is_accepted(server: RunningServer) -> None:
    with server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in HEALTH[:-2] + b"x: " + b"y" * 200 + b"\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_body_in_many_chunks_is_refused(server: RunningServer) -> None:
    body = json.dumps(ROW).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    with server.connect() as connection:
        request = CHUNKED + chunks + b"0\r\n\r\n"
        assert exchange(connection, request, last=b"30.0}").startswith(b"HTTP/1.1 200 ")
        assert get_health(connection).startswith(b"HTTP/1.1 200 ")
    assert answer_to(server, CHUNKED + b"1\r\n \r\n" * 10_000).startswith(b"HTTP/1.1 400 ")


def test_trailers_are_limited(server: RunningServer) -> None:
    trailers = CHUNKED + b"0\r\n" + b"x: y\r\n" * 200
    assert b"HTTP/1.1 431 " in answer_to(server, trailers)


def test_pipelined_requests_are_answered_in_order(server: RunningServer) -> None:
    paths = [b"/health/live", b"/nowhere"] * 25
    requests = b"".join(b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n" % path for path in paths)
    last = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    answers = answer_to(server, requests + last)
    statuses = re.findall(rb"HTTP/1.1 (\d+) ", answers)
    assert statuses == [b"200", b"404"] * 25 + [b"200"]


def test_pipelined_requests_may_have_long_heads(server: RunningServer) -> None:
    padded = HEALTH[:-2] + b"x: " + b"y" * 3_000 + b"\r\n\r\n"
    last = HEALTH[:-2] + b"connection: close\r\n\r\n"
    assert answer_to(server, padded * 90 + last).count(b"HTTP/1.1 200 ") == 91


def test_flood_of_pipelined_requests_is_disconnected(server: RunningServer) -> None:
    assert answer_to(server, HEALTH * 20_000).count(b"HTTP/1.1 200 ") < 1_000


@pytest.mark.parametrize("name", [b"Upgrade", b"upgrade"])
def test_request_for_an_upgrade_is_answered_in_http_1(server: RunningServer, name: bytes) -> None:
    """Java's HttpClient asks for HTTP/2 with its first request."""
    body = json.dumps(ROW).encode()
    head = b"POST /predict HTTP/1.1\r\nconnection: Upgrade, HTTP2-Settings\r\n%b: h2c\r\n" % name
    request = head + b"http2-settings: AAEAAEAA\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    with server.connect() as connection:
        assert b'{"predicted_price":30.0}' in exchange(connection, request, last=b"30.0}")
        assert get_health(connection).startswith(b"HTTP/1.1 200 ")


def test_split_request_for_an_upgrade_closes_the_connection(server: RunningServer) -> None:
    head = HEALTH[:-2] + b"connection: upgrade\r\nupgr"
    with server.connect() as connection, server.connect() as other:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head)
        # The server has received the first part when it answers on another connection.
        assert get_health(other)
        connection.sendall(b"ade: h2c\r\n\r\n")
        answer = read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer


def test_client_that_leaves_early_is_not_logged(
    store: LocalStore, bundle: Bundle, output: Path
) -> None:
    promote(store, bundle)
    with running(store.path, output) as server:
        for _ in range(50):
            with server.connect() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
                connection.sendall(HEALTH * 90)
        with server.connect() as connection:
            connection.sendall(HEALTH * 20_000)
        assert server.predict().status_code == 200
        assert len(server.log().splitlines()) == 1


def test_invalid_http_is_a_problem_that_names_the_model(
    server: RunningServer, bundle: Bundle
) -> None:
    head, _, body = answer_to(server, b"no HTTP\r\n\r\n").partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    problem = json.loads(body)
    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == "application/problem+json"
    assert headers["content-length"] == str(len(body))
    assert headers["connection"] == "close"
    assert headers["x-request-id"] == problem["request_id"]
    assert headers["x-model-digest"] == bundle.digest
    assert headers["x-model-version"] == bundle.version


def test_faults_of_clients_add_few_log_lines(
    store: LocalStore, bundle: Bundle, output: Path
) -> None:
    promote(store, bundle)
    upgrade = HEALTH[:-2] + b"connection: upgrade, close\r\nupgrade: websocket\r\n\r\n"
    with running(store.path, output) as server:
        for _ in range(50):
            assert answer_to(server, b"no HTTP\r\n\r\n").startswith(b"HTTP/1.1 400 ")
            assert answer_to(server, upgrade).startswith(b"HTTP/1.1 200 ")
        log = server.log()
    assert log.count("Invalid HTTP request received.") == 1
    assert len(log.splitlines()) < 10
