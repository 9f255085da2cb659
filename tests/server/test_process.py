import json
import os
import signal
import socket
from pathlib import Path

import pytest

from housectl.store.layout import bundle_key, entry_key
from housectl.store.local import LocalStore
from tests.server.bundles import alter, make_bundle, promote
from tests.server.running import running, start

FORBIDDEN = {
    *("pandas", "sklearn", "scipy", "xgboost", "joblib", "cloudpickle", "optuna", "onnx"),
    *("housectl_trainer", "kubernetes", "typer", "rich"),
}


def failed_start(store: Path, output: Path, *arguments: str) -> tuple[int, str]:
    """Return the exit status and the output of a server that cannot start."""
    status = start(store, output, arguments=arguments).wait(timeout=30)
    text = output.read_text()
    assert "Traceback" not in text
    return status, text


def tree_of(path: Path) -> dict[str, tuple[int, int]]:
    """Return size and modification time of every file and directory below a path."""
    paths = [path, *path.rglob("*")]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in paths}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_server_with_status_0(
    store: LocalStore, output: Path, number: signal.Signals
) -> None:
    promote(store, make_bundle(output.parent))
    with running(store.path, output) as server:
        assert server.predict().status_code == 200
        server.process.send_signal(number)
        assert server.process.wait(timeout=30) == 0
        assert "Traceback" not in server.log()


def test_altered_champion_fails_start(store: LocalStore, output: Path) -> None:
    bundle = make_bundle(output.parent)
    promote(store, bundle)
    alter(store.path / bundle_key(bundle.digest))
    status, text = failed_start(store.path, output, "--port", "0")
    assert status == 5
    assert text.startswith("error: ")
    assert "model.onnx was altered" in text
    assert "hint:  housectl rollback" in text


def test_invalid_history_fails_start(store: LocalStore, output: Path) -> None:
    promote(store, make_bundle(output.parent))
    (store.path / entry_key(1)).write_bytes(b"{}")
    status, text = failed_start(store.path, output, "--port", "0")
    assert status == 5
    assert "hint:  " in text


def test_gap_in_the_history_fails_start(store: LocalStore, output: Path) -> None:
    for base in (1.0, 2.0, 3.0):
        promote(store, make_bundle(output.parent, base=base))
    (store.path / entry_key(2)).unlink()
    status, text = failed_start(store.path, output, "--port", "0")
    assert status == 5
    assert "history/2.json is invalid: it is missing, but entry 3 exists" in text
    assert "hint:  ls -l " in text


@pytest.mark.parametrize("key", ["history/1.json", "bundles/{digest}/model.onnx"])
def test_fifo_in_the_store_fails_start(store: LocalStore, output: Path, key: str) -> None:
    bundle = make_bundle(output.parent)
    promote(store, bundle)
    path = store.path / key.format(digest=bundle.digest)
    path.unlink()
    os.mkfifo(path)
    status, text = failed_start(store.path, output, "--port", "0")
    assert status == 5
    assert "Not a regular file" in text


def test_busy_port_fails_start_with_next_port_as_hint(store: LocalStore, output: Path) -> None:
    promote(store, make_bundle(output.parent))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        status, text = failed_start(store.path, output, "--port", str(port))
    assert status == 7
    assert f"Port {port} on 127.0.0.1 is busy" in text
    assert f"hint:  housectl serve --port {port + 1}" in text


def test_invalid_address_fails_start(store: LocalStore, output: Path) -> None:
    status, text = failed_start(store.path, output, "--host", "no such host", "--port", "0")
    assert status == 2
    assert "hint:  housectl serve" in text


def test_unreadable_store_fails_start(output: Path) -> None:
    too_long = output.with_name("x" * 300)
    status, text = failed_start(too_long, output, "--port", "0")
    assert status == 7
    assert "hint:  " in text


def test_server_writes_nothing_to_store(store: LocalStore, output: Path) -> None:
    promote(store, make_bundle(output.parent))
    paths = [store.path, *store.path.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = tree_of(store.path)
    with running(store.path, output) as server:
        assert server.predict().status_code == 200
    assert tree_of(store.path) == before
    for path in paths:
        path.chmod(0o755)


def test_server_loads_no_training_library_and_no_pickle(store: LocalStore, output: Path) -> None:
    promote(store, make_bundle(output.parent))
    with running(store.path, output, options=("-X", "importtime")) as server:
        assert server.predict().status_code == 200
        assert server.client.get("/openapi.json").status_code == 200
        lines = [line for line in server.log().splitlines() if line.startswith("import time:")]
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert {"onnxruntime", "uvloop", "httptools"} <= imported
    assert not FORBIDDEN & imported
    assert not output.with_name("poisoned").exists()


def test_log_can_be_json(store: LocalStore, output: Path) -> None:
    promote(store, make_bundle(output.parent))
    with running(store.path, output, arguments=("--json",)) as server:
        promote(store, bundle := make_bundle(output.parent, base=2.0))
        server.wait_for(model_digest=bundle.digest)
        lines = [json.loads(line) for line in server.log().splitlines()]
    assert [line["level"] for line in lines] == ["info", "info"]
    assert "champion 2" in lines[1]["message"]


def test_startup_error_can_be_json(store: LocalStore, output: Path) -> None:
    promote(store, make_bundle(output.parent))
    (store.path / entry_key(1)).write_bytes(b"{}")
    status, text = failed_start(store.path, output, "--port", "0", "--json")
    error = json.loads(text)["error"]
    assert error["status"] == status == 5
    assert error["reference"] == "history"
