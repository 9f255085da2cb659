"""A server that follows a champion store on an S3 server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import MODEL_FILE
from housectl.contract.history import Action
from housectl.errors import ExitStatus
from housectl.store.layout import bundle_key, entry_key
from housectl.store.objects.object_store import ObjectStore
from tests.server.bundles import make_bundle, promote
from tests.server.running import RunningServer, running, start, wait_until
from tests.servers.s3_proxy import Fault, S3Proxy
from tests.store.remote import open_remote, use_server
from tools.s3_server import S3Server

INTERVAL = ("--poll-interval", "0.05s")


@pytest.fixture
def store(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    use_server(s3, monkeypatch)
    return open_remote(f"s3://{s3.new_bucket()}/houses")


@pytest.fixture
def old(store: ObjectStore, tmp_path: Path) -> Bundle:
    """The champion at the start; it predicts 11 for the usual row."""
    bundle = make_bundle(tmp_path, base=1.0)
    promote(store, bundle)
    return bundle


@pytest.fixture
def server(
    store: ObjectStore,
    old: Bundle,
    proxy: S3Proxy,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RunningServer]:
    use_server(proxy.server, monkeypatch)
    with running(store.location(), output, arguments=INTERVAL) as server:
        assert server.health()["model_digest"] == old.digest
        yield server


def test_promotions_are_served(
    store: ObjectStore, server: RunningServer, old: Bundle, tmp_path: Path
) -> None:
    for number, base in ((2, 2.0), (3, 3.0)):
        bundle = make_bundle(tmp_path, base=base)
        promote(store, bundle)
        server.wait_for(status="ok", model_digest=bundle.digest, champion=number)
        assert server.predict().json() == {"predicted_price": base + 10}
    promote(store, old, action=Action.ROLLBACK)
    server.wait_for(status="ok", model_digest=old.digest, champion=4)


def test_first_promotion_is_served(store: ObjectStore, output: Path, tmp_path: Path) -> None:
    with running(store.location(), output, arguments=INTERVAL) as server:
        assert server.health()["status"] == "no_champion"
        bundle = make_bundle(tmp_path)
        promote(store, bundle)
        server.wait_for(status="ok", model_digest=bundle.digest)


@pytest.mark.slow
def test_steady_state_asks_for_the_next_entry_only(
    store: ObjectStore, server: RunningServer, proxy: S3Proxy, tmp_path: Path
) -> None:
    for number in (2, 3):
        # The first look of a server, and the one after a promotion, read the history.
        wait_until(lambda: len(proxy.requests) > 20)
        proxy.requests.clear()
        wait_until(lambda: len(proxy.requests) > 40)
        assert {request.operation for request in proxy.requests} == {"HEAD"}
        keys = [request.key for request in proxy.requests]
        assert set(keys) == {f"houses/{entry_key(number - 1)}", f"houses/{entry_key(number)}"}
        assert keys.count(f"houses/{entry_key(number - 1)}") <= len(keys) / 16 + 1
        promote(store, make_bundle(tmp_path, base=float(number)))
        server.wait_for(champion=number)
        proxy.requests.clear()


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.SLOW_DOWN, Fault.FORBIDDEN])
def test_unavailable_store_degrades_the_server_until_it_is_back(
    fault: Fault,
    store: ObjectStore,
    server: RunningServer,
    proxy: S3Proxy,
    tmp_path: Path,
) -> None:
    proxy.fail_all(fault)
    health = server.wait_for(status="degraded", champion=1)
    assert f"The store {store.location()} is unavailable" in str(health["reason"])
    assert server.predict().json() == {"predicted_price": 11.0}
    bundle = make_bundle(tmp_path, base=2.0)
    promote(store, bundle)
    proxy.fail_none()
    server.wait_for(status="ok", model_digest=bundle.digest, reason=None)


def test_faults_while_a_bundle_is_read_only_delay_it(
    store: ObjectStore, server: RunningServer, old: Bundle, proxy: S3Proxy, tmp_path: Path
) -> None:
    proxy.choose_fault = lambda request: (
        Fault.TRUNCATE if request.key.endswith(MODEL_FILE) else None
    )
    bundle = make_bundle(tmp_path, base=2.0)
    promote(store, bundle)
    server.wait_for(status="degraded", model_digest=old.digest)
    proxy.fail_none()
    server.wait_for(status="ok", model_digest=bundle.digest)


def test_rollback_replaces_a_bundle_that_cannot_be_served(
    store: ObjectStore, server: RunningServer, old: Bundle, tmp_path: Path
) -> None:
    broken = make_bundle(tmp_path, base=7.0)
    store.add_bundle(broken)
    promote(store, broken)
    store._write(f"{bundle_key(broken.digest)}/{MODEL_FILE}", b"altered")
    promote(store, old, action=Action.ROLLBACK)
    server.wait_for(status="ok", model_digest=old.digest, champion=3)


def test_server_ends_while_the_store_hangs(server: RunningServer, proxy: S3Proxy) -> None:
    proxy.fail_all(Fault.HOLD)
    proxy.requests.clear()
    wait_until(lambda: proxy.requests)
    assert server.predict().json() == {"predicted_price": 11.0}
    server.process.terminate()
    assert server.process.wait(timeout=30) == ExitStatus.OK


def test_removed_history_is_noticed(store: ObjectStore, server: RunningServer, old: Bundle) -> None:
    content = store._read(entry_key(1))
    store._delete(entry_key(1))
    health = server.wait_for(status="degraded", model_digest=old.digest)
    assert "has no history any more" in str(health["reason"])
    store._write(entry_key(1), content)
    server.wait_for(status="ok", model_digest=old.digest)


def test_restored_backup_is_served(
    store: ObjectStore, server: RunningServer, tmp_path: Path
) -> None:
    other = open_remote(f"{store.location()}-backup")
    bundle = make_bundle(tmp_path, base=5.0)
    promote(other, bundle)
    store.add_bundle(bundle)
    store._write(entry_key(1), other._read(entry_key(1)))
    server.wait_for(status="ok", model_digest=bundle.digest, champion=1)


@pytest.mark.parametrize(
    ("store", "status"),
    [
        ("ftp://bucket/houses", ExitStatus.USAGE),
        ("s3://no-such-bucket/houses", ExitStatus.LOCAL_ENVIRONMENT),
    ],
)
def test_server_does_not_start_without_a_store(
    store: str, status: ExitStatus, s3: S3Server, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(s3, monkeypatch)
    assert start(store, output).wait() == status
    assert "hint:" in output.read_text()
    assert "Traceback" not in output.read_text()


@pytest.mark.parametrize("interval", ["0", "1e9s", "often", "nan"])
def test_interval_out_of_range_is_refused(interval: str, output: Path, tmp_path: Path) -> None:
    process = start(tmp_path, output, arguments=("--poll-interval", interval))
    assert process.wait() == ExitStatus.USAGE
    assert "--poll-interval" in output.read_text()
