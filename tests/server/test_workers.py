"""Servers of several processes: how they share a port, a champion, and an end."""

import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest

from housectl.store.layout import bundle_key
from housectl.store.local import LocalStore
from tests.server.bundles import alter, make_bundle, promote
from tests.server.running import ROW, RunningServer, running, start, wait_until

WORKERS = ("--workers", "2", "--poll-interval", "0.05s")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def server(directory: Path) -> Iterator[RunningServer]:
    store = LocalStore(directory / "store")
    promote(store, make_bundle(directory))
    with running(store.path, directory / "output.txt", arguments=WORKERS) as server:
        yield server


def pids(server: RunningServer) -> set[int]:
    """Return the processes of all workers, once all of them serve."""
    health: Any = server.wait_for(status="ok")
    return {worker["pid"] for worker in health["workers"]}


def is_running(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def is_answered(connection: socket.socket) -> bool:
    """Return True if a connection gets an answer; False if the server has closed it."""
    try:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        response = HTTPResponse(connection)
        response.begin()
        return response.read() != b"" and response.status == HTTPStatus.OK
    except (ConnectionError, HTTPException):
        return False


def new_connections_are_answered(server: RunningServer) -> bool:
    """Return True if the server answers connections that reach all of its workers."""
    with ExitStack() as stack:
        return all(is_answered(stack.enter_context(server.connect())) for _ in range(16))


def test_promotion_reaches_all_workers_without_restart(
    server: RunningServer, directory: Path
) -> None:
    before = pids(server)
    assert len(before) == 2
    promote(LocalStore(directory / "store"), bundle := make_bundle(directory, base=30.0))
    server.wait_for(status="ok", model_digest=bundle.digest)
    # The oldest champion is reported, so all workers serve the new one now.
    for _ in range(16):
        answer = httpx.post(f"{server.url}/predict", json=ROW)
        assert answer.headers["x-model-digest"] == bundle.digest
    assert pids(server) == before


@pytest.mark.parametrize("workers", ["1", "2"])
def test_another_server_cannot_share_the_port(
    server: RunningServer, tmp_path: Path, directory: Path, workers: str
) -> None:
    port = server.client.base_url.port
    arguments = ("--workers", workers, "--port", str(port))
    other = start(directory / "store", tmp_path / "other.txt", arguments=arguments)
    assert other.wait(timeout=30) == 7
    assert f"Port {port} on 127.0.0.1 is busy" in (tmp_path / "other.txt").read_text()


def test_killed_worker_breaks_only_its_own_connections(server: RunningServer) -> None:
    before = pids(server)
    with ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(32)]
        assert all(map(is_answered, connections))
        os.kill(killed := min(before), signal.SIGKILL)
        wait_until(lambda: "ended by SIGKILL" in server.log())
        assert new_connections_are_answered(server)
        kept = [is_answered(connection) for connection in connections]
    assert any(kept)
    assert not all(kept)
    after = pids(server)
    assert before - after == {killed}
    assert len(after) == 2


def test_request_ids_of_workers_differ(server: RunningServer) -> None:
    answers = [httpx.get(f"{server.url}/health/live") for _ in range(16)]
    prefixes = {answer.headers["x-request-id"].partition("-")[0] for answer in answers}
    assert len(prefixes) == 2


def test_signal_drains_all_workers(server: RunningServer) -> None:
    processes = pids(server)
    outcomes: list[object] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(predict_until_refused(server)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: server.predict().status_code == 200)
    server.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(timeout=30)
    assert server.process.wait(timeout=30) == 0
    assert [outcome for outcome in outcomes if not isinstance(outcome, httpx.ConnectError)] == []
    assert not any(map(is_running, processes))
    assert "Traceback" not in server.log()


def predict_until_refused(server: RunningServer) -> object:
    """Send predictions over kept connections until the server ends; return the last error."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=10) as client:
        while True:
            try:
                response = client.post("/predict", json=ROW)
            except httpx.HTTPError as error:
                return error
            if response.status_code != 200:
                return response


def test_worker_that_cannot_start_does_not_end_the_others(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    promote(store, bundle := make_bundle(tmp_path))
    model = store.path / bundle_key(bundle.digest) / "model.onnx"
    content = model.read_bytes()
    with running(store.path, tmp_path / "output.txt", arguments=WORKERS) as server:
        alter(store.path / bundle_key(bundle.digest))
        os.kill(min(pids(server)), signal.SIGKILL)
        wait_until(lambda: "a worker cannot start" in server.log())
        reason = str(server.wait_for(status="degraded")["reason"])
        assert reason.startswith("1 of 2 workers are starting. ")
        assert "model.onnx was altered" in reason
        assert new_connections_are_answered(server)

        model.write_bytes(content)
        alive = pids(server)
        alter(store.path / bundle_key(bundle.digest))
        for pid in alive:
            os.kill(pid, signal.SIGKILL)
        assert server.process.wait(timeout=30) == 5
        assert re.search(r"(?m)^error: .*model\.onnx was altered", server.log())
        assert "hint:  housectl rollback" in server.log()


def test_invalid_champion_fails_start(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    promote(store, bundle := make_bundle(tmp_path))
    alter(store.path / bundle_key(bundle.digest))
    process = start(
        store.path, output := tmp_path / "output.txt", arguments=(*WORKERS, "--port", "0")
    )
    assert process.wait(timeout=30) == 5
    assert "hint:  housectl rollback" in output.read_text()


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    promote(store := LocalStore(tmp_path / "store"), make_bundle(tmp_path))
    with running(store.path, tmp_path / "output.txt", arguments=WORKERS) as server:
        workers = pids(server)
        server.process.kill()
        wait_until(lambda: not any(map(is_running, workers)))
