import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from housectl.contract.bundle import Bundle
from housectl.contract.history import Action
from housectl.store.layout import BUNDLES, HISTORY, bundle_key, entry_key
from housectl.store.local import LocalStore
from tests.server.bundles import FLOWERS, alter, make_bundle, promote, tree
from tests.server.running import ROW, RunningServer, running, wait_until


@pytest.fixture
def old(store: LocalStore, tmp_path: Path) -> Bundle:
    """The champion at the start; it predicts 11 for the usual row."""
    bundle = make_bundle(tmp_path, base=1.0)
    promote(store, bundle)
    return bundle


@pytest.fixture
def server(store: LocalStore, output: Path, old: Bundle) -> Iterator[RunningServer]:
    with running(store.path, output) as server:
        assert server.health()["model_digest"] == old.digest
        yield server


@contextmanager
def load_on(server: RunningServer, *, clients: int) -> Iterator[list[httpx.Response]]:
    """Post rows from several clients until the block ends; the list then has every response."""
    responses: list[httpx.Response] = []
    failures: list[httpx.HTTPError] = []
    stop = threading.Event()

    def post_rows() -> None:
        with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
            while not stop.is_set():
                try:
                    responses.append(client.post("/predict", json=ROW))
                except httpx.HTTPError as error:
                    failures.append(error)

    threads = [threading.Thread(target=post_rows) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield responses
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures


def was_predicted(responses: list[httpx.Response], price: float) -> bool:
    return any(response.json() == {"predicted_price": price} for response in list(responses))


def test_health_shows_an_override_also_after_a_rollback_to_it(
    store: LocalStore, server: RunningServer, old: Bundle, tmp_path: Path, output: Path
) -> None:
    assert server.health()["override"] is None
    accepted, other = (make_bundle(tmp_path, base=base) for base in (2.0, 3.0))
    promote(store, accepted, override="the old one is <too> slow")
    server.wait_for(model_digest=accepted.digest, override="the old one is <too> slow")
    promote(store, other)
    server.wait_for(model_digest=other.digest, override=None)
    promote(store, accepted, action=Action.ROLLBACK)
    server.wait_for(model_digest=accepted.digest, override="the old one is <too> slow")
    with running(store.path, output.with_name("second")) as second:
        assert second.health()["override"] == "the old one is <too> slow"
    promote(store, old)
    server.wait_for(model_digest=old.digest, override=None)


def test_hot_swaps_under_load_fail_no_request(
    store: LocalStore, server: RunningServer, tmp_path: Path
) -> None:
    with load_on(server, clients=4) as responses:
        wait_until(lambda: was_predicted(responses, 11.0))
        for base in (2.0, 3.0, 4.0):
            bundle = make_bundle(tmp_path, base=base)
            promote(store, bundle)
            server.wait_for(status="ok", model_digest=bundle.digest)
            assert server.predict().json() == {"predicted_price": base + 10}
            wait_until(partial(was_predicted, responses, base + 10))
    assert {response.status_code for response in responses} == {200}
    assert {response.json()["predicted_price"] for response in responses} == {
        11.0,
        12.0,
        13.0,
        14.0,
    }
    wait_until(lambda: server.log().count("now serving champion") == 3)


def test_rollback_is_served(
    store: LocalStore, server: RunningServer, old: Bundle, tmp_path: Path
) -> None:
    new = make_bundle(tmp_path, base=2.0)
    promote(store, new)
    assert server.wait_for(model_digest=new.digest)["champion"] == 2
    promote(store, old, action=Action.ROLLBACK)
    assert server.wait_for(model_digest=old.digest, status="ok")["champion"] == 3
    assert server.predict().json() == {"predicted_price": 11.0}


def test_champion_with_another_schema_is_served(
    store: LocalStore, server: RunningServer, tmp_path: Path
) -> None:
    flowers = make_bundle(tmp_path, schema=FLOWERS)
    promote(store, flowers)
    health = server.wait_for(model_digest=flowers.digest)
    assert health["out_of_range"] == {"petal length (cm)": 0}
    assert server.predict({"petal length (cm)": 2}).json() == {"petal width": 20.0}
    assert server.predict().status_code == 422
    description = server.client.get("/openapi.json").text
    assert "petal length (cm)" in description
    assert "LSTAT" not in description


def test_bundle_with_different_golden_predictions_is_rejected(
    store: LocalStore, server: RunningServer, old: Bundle, tmp_path: Path
) -> None:
    promote(store, make_bundle(tmp_path, base=7.0, golden_error=0.5))
    health = server.wait_for(status="degraded", model_digest=old.digest, champion=1)
    assert "4 of 4 golden rows differ" in str(health["reason"])
    assert server.predict().json() == {"predicted_price": 11.0}
    assert server.client.get("/health/ready").status_code == 200
    good = make_bundle(tmp_path, base=3.0)
    promote(store, good)
    assert server.wait_for(model_digest=good.digest, status="ok")["reason"] is None
    assert server.log().count("the newest champion cannot be served") == 1


@pytest.mark.parametrize("model", [b"no graph", tree(7.0, features=5)], ids=["noise", "width"])
def test_graph_of_another_shape_is_rejected(
    store: LocalStore, server: RunningServer, old: Bundle, tmp_path: Path, model: bytes
) -> None:
    promote(store, make_bundle(tmp_path, base=7.0, model=model))
    health = server.wait_for(status="degraded", model_digest=old.digest)
    assert "model.onnx is invalid" in str(health["reason"])


def test_bundle_copied_after_its_entry_is_served_when_complete(
    store: LocalStore, server: RunningServer, old: Bundle, tmp_path: Path
) -> None:
    origin = LocalStore(shutil.copytree(store.path, tmp_path / "origin"))
    late = make_bundle(tmp_path, base=7.0)
    promote(origin, late)
    shutil.copy((origin.path / entry_key(2)), (store.path / entry_key(2)))
    server.wait_for(status="degraded", model_digest=old.digest)
    shutil.copytree((origin.path / bundle_key(late.digest)), (store.path / bundle_key(late.digest)))
    server.wait_for(status="ok", model_digest=late.digest, reason=None)


def test_altered_bundle_is_rejected(
    store: LocalStore, server: RunningServer, old: Bundle, tmp_path: Path
) -> None:
    origin = LocalStore(shutil.copytree(store.path, tmp_path / "origin"))
    bad = make_bundle(tmp_path, base=7.0)
    promote(origin, bad)
    path = shutil.copytree(
        (origin.path / bundle_key(bad.digest)), (store.path / bundle_key(bad.digest))
    )
    alter(path)
    shutil.copy((origin.path / entry_key(2)), (store.path / entry_key(2)))
    health = server.wait_for(status="degraded", model_digest=old.digest)
    assert "model.onnx was altered" in str(health["reason"])
    assert server.predict().json() == {"predicted_price": 11.0}


def test_invalid_entry_is_rejected(store: LocalStore, server: RunningServer, old: Bundle) -> None:
    (store.path / entry_key(2)).write_bytes(b"\x00 noise")
    health = server.wait_for(status="degraded", model_digest=old.digest)
    assert "history/2.json is invalid" in str(health["reason"])


@pytest.mark.parametrize("number", [1, 2])
def test_damaged_history_keeps_model_until_it_is_restored(
    store: LocalStore, server: RunningServer, tmp_path: Path, number: int
) -> None:
    champion = make_bundle(tmp_path, base=2.0)
    promote(store, champion)
    server.wait_for(status="ok", model_digest=champion.digest)
    backup = Path(shutil.copytree(store.path / HISTORY, tmp_path / "backup"))
    entry = store.path / entry_key(number)
    entry.write_bytes(entry.read_bytes()[:-9])
    health = server.wait_for(status="degraded", model_digest=champion.digest, champion=2)
    assert "is invalid" in str(health["reason"])
    shutil.copy(backup / entry.name, entry)
    server.wait_for(status="ok", reason=None)


def test_gap_in_the_history_keeps_model(
    store: LocalStore, server: RunningServer, tmp_path: Path
) -> None:
    for base in (2.0, 3.0):
        promote(store, champion := make_bundle(tmp_path, base=base))
    server.wait_for(status="ok", champion=3)
    (store.path / entry_key(2)).unlink()
    health = server.wait_for(status="degraded", model_digest=champion.digest, champion=3)
    assert "history/2.json is invalid: it is missing" in str(health["reason"])
    assert server.predict().json() == {"predicted_price": 13.0}


def test_replaced_entry_is_served_also_with_the_same_times(
    store: LocalStore, server: RunningServer, tmp_path: Path
) -> None:
    backup = LocalStore(shutil.copytree(store.path, tmp_path / "backup"))
    promote(store, make_bundle(tmp_path, base=2.0))
    server.wait_for(status="ok", champion=2)
    restored = make_bundle(tmp_path, base=3.0)
    promote(backup, restored)
    shutil.copytree(backup.path / BUNDLES, store.path / BUNDLES, dirs_exist_ok=True)
    entry = store.path / entry_key(2)
    times = entry.stat()
    entry.write_bytes((backup.path / entry_key(2)).read_bytes())
    os.utime(entry, ns=(times.st_atime_ns, times.st_mtime_ns))
    server.wait_for(status="ok", champion=2, model_digest=restored.digest)
    assert server.predict().json() == {"predicted_price": 13.0}


def test_older_backup_is_served(
    store: LocalStore, server: RunningServer, old: Bundle, tmp_path: Path
) -> None:
    promote(store, make_bundle(tmp_path, base=2.0))
    server.wait_for(status="ok", champion=2)
    (store.path / entry_key(2)).unlink()
    server.wait_for(status="ok", champion=1, model_digest=old.digest)


@pytest.mark.parametrize("name", ["history/1.json", "history/2.json"])
def test_fifo_in_place_of_an_entry_does_not_block_the_poller(
    store: LocalStore, server: RunningServer, name: str
) -> None:
    fifo = store.path / name
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo)
    health = server.wait_for(status="degraded", champion=1)
    assert "Not a regular file" in str(health["reason"])
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=30) == 0


def test_model_is_served_while_store_is_missing(
    store: LocalStore, server: RunningServer, tmp_path: Path
) -> None:
    shutil.move(store.path, tmp_path / "elsewhere")
    health = server.wait_for(status="degraded", champion=1)
    assert "has no history any more" in str(health["reason"])
    assert server.predict().json() == {"predicted_price": 11.0}
    shutil.move(tmp_path / "elsewhere", store.path)
    new = make_bundle(tmp_path, base=2.0)
    promote(store, new)
    server.wait_for(status="ok", model_digest=new.digest)


def test_server_waits_for_first_champion(store: LocalStore, output: Path, tmp_path: Path) -> None:
    with running(store.path, output) as server:
        health = server.health()
        assert health["status"] == "no_champion"
        assert health["model_digest"] is None
        assert server.client.get("/health/live").status_code == 200
        for response in (
            server.client.get("/health/ready"),
            server.client.get("/docs"),
            server.predict(),
        ):
            assert response.status_code == 503
            assert response.headers["content-type"] == "application/problem+json"
            assert "housectl promote" in response.json()["detail"]
        first = make_bundle(tmp_path)
        promote(store, first)
        server.wait_for(status="ok", model_digest=first.digest, champion=1)
        assert server.predict().json() == {"predicted_price": 30.0}
        assert server.client.get("/health/ready").status_code == 200
