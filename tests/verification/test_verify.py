"""Verification of the champion's server, of other housectl servers, and of foreign servers."""

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from housectl.contract.bundle import Bundle
from housectl.deadline import Deadline
from housectl.errors import ExitStatus, ServerUnreachableError, UsageError, VerificationError
from housectl.store.local import LocalStore
from housectl.verification.limits import Limits
from housectl.verification.outcome import Outcome
from housectl.verification.serving import wait_until_serving
from housectl.verification.verify import Verification
from housectl.verification.verify import verify as verify_with_limits
from tests.server.bundles import FLOWERS, make_bundle, promote
from tests.server.running import running
from tests.verification.impostor import Answer, Reply, Request, Upstream, impostor
from tests.verification.tricks import Tricks
from tools.server_process import free_port

LENIENT = Limits(p99_ms=10_000, request_seconds=30, update_seconds=0.2)

StartServer = Callable[[Answer], str]


def verify(bundle: Bundle, url: str, *, limits: Limits = LENIENT) -> Verification:
    return verify_with_limits(
        bundle, url, limits=limits, deadline=Deadline.after(limits.run_seconds)
    )


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
def start_server() -> Iterator[StartServer]:
    """Start HTTP servers whose answers come from a function."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(impostor(answer))


@pytest.fixture
def tricks(champion: Bundle, url: str) -> Tricks:
    return Tricks(champion, Upstream(url), Upstream(url))


def test_server_of_champion_passes_every_check(champion: Bundle, url: str) -> None:
    report = verify(champion, url)
    assert report.passed, failed_checks(report)
    names = [check.name for check in report.checks]
    assert names[:3] == ["golden rows", "fresh rows", "repaired rows"]
    assert names[3:6] == ["served bundle", "digest header", "features in OpenAPI"]
    assert names[-1] == "latency"
    assert sum(name.startswith("rejects ") for name in names) == 14
    assert report.p50_ms is not None
    assert report.p99_ms is not None
    assert 0 < report.p50_ms <= report.p99_ms


def test_trailing_slash_of_url_is_ignored(champion: Bundle, url: str) -> None:
    assert verify(champion, f"{url}/").passed


def test_loopback_address_bypasses_proxies(
    champion: Bundle, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert verify(champion, url).passed


def test_other_champion_fails_digest_and_golden_rows(
    url: str, champion: Bundle, tmp_path: Path
) -> None:
    other = make_bundle(tmp_path, base=21.0)
    report = verify(other, url)
    rows = {"golden rows", "fresh rows", "repaired rows"}
    others = {"batches", "served bundle", "digest header", "latency"}
    assert failed_checks(report) == rows | others
    assert report.outcome is Outcome.UNPROVEN
    assert found_text(report, "served bundle") == f"{champion.version}, ok"
    found = found_text(report, "golden rows")
    assert re.search(r"20\.0} instead of 21\.0|30\.0} instead of 31\.0", found)


def test_other_schema_fails_openapi_features(url: str, tmp_path: Path) -> None:
    report = verify(make_bundle(tmp_path, schema=FLOWERS), url)
    assert {"golden rows", "served bundle", "features in OpenAPI", "latency"} <= failed_checks(
        report
    )
    assert "unknown RM, unknown LSTAT" in found_text(report, "features in OpenAPI")
    assert report.p50_ms is None


def test_latency_above_limit_fails_only_that_check(champion: Bundle, url: str) -> None:
    report = verify(champion, url, limits=Limits(p99_ms=1e-6))
    assert failed_checks(report) == {"latency"}
    assert report.outcome is Outcome.UNPROVEN
    assert report.status == ExitStatus.VERIFICATION_FAILED
    assert "p99" in found_text(report, "latency")


@pytest.mark.parametrize("path", ["/predict", "/invocations", "/v2/models/champion/infer"])
def test_wrong_predictions_of_a_batch_fail_only_that_check(
    champion: Bundle, start_server: StartServer, tricks: Tricks, path: str
) -> None:
    def answer(request: Request) -> Reply:
        reply = tricks.honest()(request)
        is_batch = request.path == path and not request.is_prediction
        if not is_batch or reply.status != 200 or not isinstance(reply.body, bytes):
            return reply
        return replace(reply, body=reply.body.replace(b"30.0", b"30.1"))

    report = verify(champion, start_server(answer))
    assert failed_checks(report) == {"batches"}
    assert report.outcome is Outcome.WRONG
    assert f"{path} got 200" in found_text(report, "batches")


def test_server_without_batches_needs_none(
    champion: Bundle, start_server: StartServer, tricks: Tricks
) -> None:
    def answer(request: Request) -> Reply:
        reply = tricks.honest()(request)
        if request.path != "/openapi.json":
            return reply
        document = json.loads(json.dumps(reply.json))
        content = document["paths"]["/predict"]["post"]["requestBody"]["content"]
        (row, _) = content["application/json"]["schema"]["anyOf"]
        content["application/json"]["schema"] = row
        document["paths"] = {"/predict": document["paths"]["/predict"]}
        return reply.with_json(document)

    report = verify(champion, start_server(answer))
    assert report.passed
    assert "batches" not in {check.name for check in report.checks}


def test_server_without_champion_fails_with_its_reason(champion: Bundle, tmp_path: Path) -> None:
    with running(tmp_path / "empty", tmp_path / "output.txt") as server:
        report = verify(champion, server.url)
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
    champion: Bundle, start_server: StartServer, answer: tuple[int, str, bytes]
) -> None:
    status, media_type, body = answer
    reply = Reply(status, body, {"content-type": media_type})
    report = verify(champion, start_server(lambda _: reply))
    assert {"golden rows", "fresh rows", "served bundle", "digest header"} <= failed_checks(report)
    assert {"features in OpenAPI", "rejects null"} <= failed_checks(report)
    assert report.outcome is Outcome.UNPROVEN


def test_texts_of_a_hostile_server_are_shortened(
    champion: Bundle, start_server: StartServer
) -> None:
    content = {"schema": {"required": ["a " * 100_000]}}
    operation = {"post": {"requestBody": {"content": {"application/json": content}}}}
    reply = Reply().with_json(
        {"status": "x " * 100_000, "reason": "y " * 100_000, "paths": {"/predict": operation}}
    )
    report = verify(champion, start_server(lambda _: reply))
    assert max(len(check.found) for check in report.checks) < 2000


def test_server_that_accepts_everything_fails_every_rejection_check(
    champion: Bundle, start_server: StartServer
) -> None:
    health = {"status": "ok", "model_digest": champion.digest, "predicted_price": 20.0}
    report = verify(champion, start_server(lambda _: Reply().with_json(health)))
    rejections = {check.name for check in report.checks if check.name.startswith("rejects ")}
    assert rejections <= failed_checks(report)
    assert "served bundle" not in failed_checks(report)
    assert report.outcome is Outcome.WRONG


@pytest.mark.parametrize("status", [429, 503])
def test_overload_proves_nothing_about_champion(
    champion: Bundle, start_server: StartServer, tricks: Tricks, status: int
) -> None:
    def answer(request: Request) -> Reply:
        reply = tricks.honest()(request)
        return Reply(status, b"", reply.headers) if request.is_prediction else reply

    report = verify(champion, start_server(answer))
    assert {"golden rows", "fresh rows", "repaired rows"} <= failed_checks(report)
    assert report.outcome is Outcome.UNPROVEN


def test_server_that_dies_is_unreachable(
    champion: Bundle, start_server: StartServer, tmp_path: Path
) -> None:
    store = LocalStore(tmp_path / "store")
    promote(store, champion)
    with running(store.path, tmp_path / "output.txt") as server:
        upstream = Upstream(server.url)
        predictions: list[Request] = []

        def answer(request: Request) -> Reply:
            if request.is_prediction:
                predictions.append(request)
            if len(predictions) == 50:
                server.process.kill()
                server.process.wait()
            return upstream(request)

        report = verify(champion, start_server(answer))
    assert report.outcome is Outcome.UNREACHABLE
    assert report.status == ExitStatus.SERVER_UNREACHABLE
    assert "no usable answer: Server disconnected" in found_text(report, "served bundle")
    assert report.p50_ms is not None


@pytest.mark.parametrize(
    ("trick", "found"),
    [
        ("slow", "the answer is incomplete after 0.1 s"),
        ("endless", "the answer is larger than 1000 bytes"),
        ("compressed", "the answer is compressed with gzip, unrequested"),
    ],
)
def test_unusable_answers_end_with_their_reason(
    champion: Bundle, start_server: StartServer, tricks: Tricks, trick: str, found: str
) -> None:
    seconds = 0.1 if trick == "slow" else 30
    limits = Limits(request_seconds=seconds, answer_bytes=1000, run_seconds=2)
    report = verify(champion, start_server(getattr(tricks, trick)()), limits=limits)
    assert "fresh rows" in report.failed
    assert found in found_text(report, "fresh rows")
    assert report.outcome is Outcome.UNPROVEN


def test_late_answers_cost_no_others(
    champion: Bundle, start_server: StartServer, tricks: Tricks
) -> None:
    predictions: list[Request] = []

    def answer(request: Request) -> Reply:
        if request.is_prediction:
            predictions.append(request)
            if len(predictions) <= 5:
                return tricks.slow()(request)
        return tricks.honest()(request)

    limits = Limits(p99_ms=10_000, request_seconds=0.5)
    report = verify(champion, start_server(answer), limits=limits)
    failures = [found_text(report, name) for name in report.failed]
    assert failures
    assert all("the answer is incomplete after 0.5 s" in found for found in failures)
    assert "served bundle" not in report.failed


def test_run_ends_at_its_deadline(
    champion: Bundle, start_server: StartServer, tricks: Tricks
) -> None:
    limits = Limits(request_seconds=0.1, run_seconds=1)
    report = verify(champion, start_server(tricks.slow()), limits=limits)
    assert "the time for the verification is over (1 s)" in found_text(report, "served bundle")
    assert report.outcome is Outcome.UNPROVEN


def test_endless_header_ends_at_the_limit(champion: Bundle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(ConnectionError):
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while True:
                    connection.sendall(b"a")

        Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ServerUnreachableError):
            verify(champion, url, limits=Limits(request_seconds=0.5))


def test_health_must_stay_ok(champion: Bundle, start_server: StartServer, tricks: Tricks) -> None:
    for trick in (tricks.degraded, tricks.degraded_later):
        report = verify(champion, start_server(trick()))
        assert failed_checks(report) == {"served bundle"}
        assert "degraded" in found_text(report, "served bundle")


def test_verification_waits_for_all_servers_behind_an_address(
    champion: Bundle, start_server: StartServer, tricks: Tricks
) -> None:
    healths: list[Request] = []

    def answer(request: Request) -> Reply:
        reply = tricks.honest()(request)
        if request.path != "/health":
            return reply
        healths.append(request)
        is_outdated = len(healths) in {2, 6}
        return reply.with_json(reply.json | {"model_digest": "0" * 64}) if is_outdated else reply

    limits = Limits(p99_ms=10_000, request_seconds=30, update_seconds=30)
    assert verify(champion, start_server(answer), limits=limits).passed
    assert len(healths) == 4 * 4


def test_each_run_asks_other_rows(
    champion: Bundle, start_server: StartServer, tricks: Tricks
) -> None:
    asked: list[set[tuple[float, ...]]] = []
    times: dict[bytes, int] = {}
    golden = {row.row for row in champion.golden.rows}

    def answer(request: Request) -> Reply:
        reply = tricks.honest()(request)
        if request.is_prediction and reply.status == 200:
            asked[-1].add((float(str(request.row["RM"])), float(str(request.row["LSTAT"]))))
            times[request.body] = times.get(request.body, 0) + 1
        return reply

    url = start_server(answer)
    for _ in range(2):
        asked.append(set())
        assert verify(champion, url).passed
    common = asked[0] & asked[1]
    assert golden <= common
    # Rows at the ends of both ranges are few, so two runs can have one in common.
    assert len(common - golden) <= 5
    assert all(len(rows) > 80 for rows in asked)
    assert min(times.values()) >= 2
    schema = champion.record.schema.features
    fresh = asked[0] - golden
    are_inside = [
        all(f.minimum < v < f.maximum for f, v in zip(schema, row, strict=True)) for row in fresh
    ]
    are_outside = [
        any(not f.minimum <= v <= f.maximum for f, v in zip(schema, row, strict=True))
        for row in fresh
    ]
    assert any(are_inside)
    assert any(are_outside)


def test_verification_works_inside_a_running_event_loop(champion: Bundle, url: str) -> None:
    async def notebook() -> bool:
        return verify(champion, url).passed

    assert asyncio.run(notebook())


def test_closed_port_is_unreachable_with_hint(champion: Bundle) -> None:
    with pytest.raises(ServerUnreachableError, match="No server responds at") as caught:
        verify(champion, f"http://127.0.0.1:{free_port()}")
    assert caught.value.hint == "housectl serve"
    assert caught.value.status == ExitStatus.SERVER_UNREACHABLE


def test_server_without_http_is_unreachable(champion: Bundle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            # The listener is closed at the end.
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(1024)
                        connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")

        Thread(target=greet, daemon=True).start()
        port = listener.getsockname()[1]
        with pytest.raises(ServerUnreachableError):
            verify(champion, f"http://127.0.0.1:{port}")


def test_invalid_url_is_usage_error(champion: Bundle) -> None:
    with pytest.raises(UsageError, match=r"URL .* is invalid"):
        verify(champion, "http://[")


def test_wait_ends_when_server_has_loaded_bundle(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    with running(store.path, tmp_path / "output.txt") as server:
        for base in (20.0, 21.0):
            bundle = make_bundle(tmp_path, base=base)
            promote(store, bundle)
            wait_until_serving(server.url, bundle.digest, timeout=30)
            assert verify(bundle, server.url).passed


def test_wait_timeout_reports_served_bundle(url: str, champion: Bundle) -> None:
    with pytest.raises(VerificationError, match=f"it serves {champion.version}") as caught:
        wait_until_serving(url, "0" * 64, timeout=0.2)
    assert caught.value.status == ExitStatus.VERIFICATION_FAILED


def test_wait_for_closed_port_is_unreachable() -> None:
    with pytest.raises(ServerUnreachableError):
        wait_until_serving(f"http://127.0.0.1:{free_port()}", "0" * 64, timeout=0.2)
