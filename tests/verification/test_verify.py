"""Verification of the champion's server, of other housectl servers, and of foreign servers."""

import json
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from housectl.contract.bundle import Bundle
from housectl.errors import ExitStatus, ServerUnreachableError, UsageError, VerificationError
from housectl.store.local import LocalStore
from housectl.verification.verify import Verification, verify, wait_until_serving
from tests.server.bundles import FLOWERS, make_bundle, promote
from tests.server.running import running

LENIENT_MS = 10_000.0

CannedResponse = tuple[int, str, bytes]
StartForeignServer = Callable[[Callable[[str], CannedResponse]], str]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def failed_checks(report: Verification) -> set[str]:
    return {check.name for check in report.checks if not check.passed}


def found_text(report: Verification, name: str) -> str:
    return next(check.found for check in report.checks if check.name == name)


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("champion"))


@pytest.fixture(scope="module")
def store(champion: Bundle, tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    store = LocalStore(tmp_path_factory.mktemp("store"))
    promote(store, champion)
    return store


@pytest.fixture(scope="module")
def url(store: LocalStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(store.path, tmp_path_factory.mktemp("log") / "output.txt") as server:
        yield server.url.rstrip("/")


@pytest.fixture
def start_foreign_server() -> Iterator[StartForeignServer]:
    """Start HTTP servers whose responses come from a function of the path."""
    started: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[str], CannedResponse]) -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                status, media_type, body = answer(self.path)
                self.send_response(status)
                self.send_header("content-type", media_type)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        started.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def test_server_of_champion_passes_every_check(champion: Bundle, url: str) -> None:
    report = verify(champion, url, p99_ms=LENIENT_MS)
    assert report.passed, failed_checks(report)
    names = [check.name for check in report.checks]
    assert names[:3] == ["golden rows", "served bundle", "features in OpenAPI"]
    assert names[-1] == "latency"
    assert sum(name.startswith("rejects ") for name in names) == 14
    assert report.p50_ms is not None
    assert report.p99_ms is not None
    assert 0 < report.p50_ms <= report.p99_ms


def test_trailing_slash_of_url_is_ignored(champion: Bundle, url: str) -> None:
    assert verify(champion, f"{url}/", p99_ms=LENIENT_MS).passed


def test_loopback_address_bypasses_proxies(
    champion: Bundle, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert verify(champion, url, p99_ms=LENIENT_MS).passed


def test_other_champion_fails_digest_and_golden_rows(
    url: str, champion: Bundle, tmp_path: Path
) -> None:
    other = make_bundle(tmp_path, base=21.0)
    report = verify(other, url, p99_ms=LENIENT_MS)
    assert failed_checks(report) == {"golden rows", "served bundle"}
    assert found_text(report, "served bundle") == champion.version
    assert "20.0" in found_text(report, "golden rows")
    assert "21.0" in found_text(report, "golden rows")


def test_other_schema_fails_openapi_features(url: str, tmp_path: Path) -> None:
    report = verify(make_bundle(tmp_path, schema=FLOWERS), url, p99_ms=LENIENT_MS)
    assert {"golden rows", "served bundle", "features in OpenAPI", "latency"} <= failed_checks(
        report
    )
    assert "unknown RM, unknown LSTAT" in found_text(report, "features in OpenAPI")
    assert report.p50_ms is None


def test_latency_above_limit_fails_only_that_check(champion: Bundle, url: str) -> None:
    report = verify(champion, url, p99_ms=1e-6)
    assert failed_checks(report) == {"latency"}
    assert "p99" in found_text(report, "latency")


def test_server_without_champion_fails_with_its_reason(champion: Bundle, tmp_path: Path) -> None:
    with running(tmp_path / "empty", tmp_path / "output.txt") as server:
        report = verify(champion, server.url, p99_ms=LENIENT_MS)
        assert {"golden rows", "served bundle", "latency"} <= failed_checks(report)
        assert "promoted" in found_text(report, "served bundle")
        assert "housectl promote" in found_text(report, "golden rows")


@pytest.mark.parametrize(
    "answer",
    [
        (200, "text/html", b"<html><h1>It works!</h1></html>"),
        (404, "text/plain", b""),
        (302, "text/html", b"moved"),
        (200, "application/json", b"[1, 2, 3]"),
        (200, "application/json", b'{"predicted_price": "cheap", "model_digest": 7, "errors": 1}'),
        (200, "application/json", b'{"predicted_price": 1' + b"0" * 400 + b"}"),
        (200, "application/json", b"[" * 100_000),
        (200, "application/json; charset=no-such", b"\xff\xfe{"),
        (400, "application/problem+json", b'{"errors": [1, {"field": []}], "detail": 5}'),
    ],
    ids=["html", "404", "302", "array", "types", "huge", "deep", "charset", "problem"],
)
def test_foreign_servers_fail_without_exception(
    champion: Bundle, start_foreign_server: StartForeignServer, answer: CannedResponse
) -> None:
    report = verify(champion, start_foreign_server(lambda _: answer), p99_ms=LENIENT_MS)
    assert {"golden rows", "served bundle", "features in OpenAPI"} <= failed_checks(report)
    assert "rejects null" in failed_checks(report)


def test_server_that_accepts_everything_fails_every_rejection_check(
    champion: Bundle, start_foreign_server: StartForeignServer
) -> None:
    body = json.dumps({"model_digest": champion.digest, "predicted_price": 20.0}).encode()
    report = verify(
        champion, start_foreign_server(lambda _: (200, "application/json", body)), p99_ms=LENIENT_MS
    )
    rejections = {check.name for check in report.checks if check.name.startswith("rejects ")}
    assert rejections <= failed_checks(report)
    assert {"served bundle", "latency"}.isdisjoint(failed_checks(report))


def test_closed_port_is_unreachable_with_hint(champion: Bundle) -> None:
    with pytest.raises(ServerUnreachableError, match="No server responds at") as caught:
        verify(champion, f"http://127.0.0.1:{free_port()}", p99_ms=LENIENT_MS)
    assert caught.value.hint == "housectl serve"
    assert caught.value.status == ExitStatus.SERVER_UNREACHABLE


def test_server_without_http_is_unreachable(champion: Bundle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")

        Thread(target=greet, daemon=True).start()
        port = listener.getsockname()[1]
        with pytest.raises(ServerUnreachableError):
            verify(champion, f"http://127.0.0.1:{port}", p99_ms=LENIENT_MS)


def test_invalid_url_is_usage_error(champion: Bundle) -> None:
    with pytest.raises(UsageError, match=r"URL .* is invalid"):
        verify(champion, "http://[", p99_ms=LENIENT_MS)


def test_wait_ends_when_server_has_loaded_bundle(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    with running(store.path, tmp_path / "output.txt") as server:
        for base in (20.0, 21.0):
            bundle = make_bundle(tmp_path, base=base)
            promote(store, bundle)
            wait_until_serving(server.url, bundle.digest, timeout=30)
            assert verify(bundle, server.url, p99_ms=LENIENT_MS).passed


def test_wait_timeout_reports_served_bundle(url: str, champion: Bundle) -> None:
    with pytest.raises(VerificationError, match=f"it serves {champion.version}") as caught:
        wait_until_serving(url, "0" * 64, timeout=0.2)
    assert caught.value.status == ExitStatus.VERIFICATION_FAILED


def test_wait_for_closed_port_is_unreachable() -> None:
    with pytest.raises(ServerUnreachableError):
        wait_until_serving(f"http://127.0.0.1:{free_port()}", "0" * 64, timeout=0.2)
