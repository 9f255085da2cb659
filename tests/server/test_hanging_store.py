"""A store or a key file that does not respond, like a dead network file system."""

import signal
from pathlib import Path

import pytest

from housectl.api_key_file import ApiKeyFile
from housectl.store.local import LocalStore
from tests.server import hanging_server
from tests.server.bundles import make_bundle, promote
from tests.server.hanging_server import HANG
from tests.server.running import running, start, wait_until

PROGRAM = (hanging_server.__file__,)


def hang_next_reader(store: LocalStore) -> None:
    """Make the next reader of the store hang, and wait until it does."""
    (store.path / HANG).touch()
    wait_until(lambda: not (store.path / HANG).exists())


@pytest.mark.slow
def test_hanging_look_degrades_server_until_another_look_succeeds(
    store: LocalStore, output: Path, tmp_path: Path
) -> None:
    old, new = make_bundle(tmp_path, base=1.0), make_bundle(tmp_path, base=2.0)
    promote(store, old)
    with running(store.path, output, program=PROGRAM) as server:
        hang_next_reader(store)
        health = server.wait_for(status="degraded", model_digest=old.digest)
        assert "The store does not respond" in str(health["reason"])
        assert server.predict().json() == {"predicted_price": 11.0}
        server.wait_for(status="ok", reason=None)
        promote(store, new)
        server.wait_for(status="ok", model_digest=new.digest)


def test_shutdown_does_not_wait_for_the_store(
    store: LocalStore, output: Path, tmp_path: Path
) -> None:
    promote(store, make_bundle(tmp_path))
    with running(store.path, output, program=PROGRAM) as server:
        hang_next_reader(store)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 0
        assert "Traceback" not in server.log()


def test_shutdown_does_not_wait_for_the_key_file(
    store: LocalStore, output: Path, tmp_path: Path
) -> None:
    promote(store, make_bundle(tmp_path))
    keys = ApiKeyFile(tmp_path / "keys" / "api-keys")
    keys.add("shop")
    arguments = ("--api-keys-file", str(keys.path))
    with running(store.path, output, program=PROGRAM, arguments=arguments) as server:
        hang = keys.path.with_name(HANG)
        hang.touch()
        keys.add("second")
        wait_until(lambda: not hang.exists())
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 0
        assert "Traceback" not in server.log()


def test_signal_ends_a_start_that_waits_for_the_store(
    store: LocalStore, output: Path, tmp_path: Path
) -> None:
    promote(store, make_bundle(tmp_path))
    (store.path / HANG).touch()
    process = start(store.path, output, program=PROGRAM, arguments=("--port", "0"))
    wait_until(lambda: not (store.path / HANG).exists())
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
