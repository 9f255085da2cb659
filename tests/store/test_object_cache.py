"""The local cache of an object store: few requests, and never another answer than without it."""

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import BUNDLE_FILE, MODEL_FILE
from housectl.contract.history import Action
from housectl.errors import BundleError
from housectl.store.layout import bundle_key, entry_key
from housectl.store.objects import bundle_cache
from tests.server.bundles import make_bundle, promote
from tests.servers.s3_proxy import S3Proxy
from tests.store.remote import open_remote, use_server


@pytest.fixture
def url(proxy: S3Proxy, monkeypatch: pytest.MonkeyPatch) -> str:
    use_server(proxy.server, monkeypatch)
    return f"s3://{proxy.server.new_bucket()}/houses"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def bundle(url: str, cache: Path, tmp_path: Path) -> Bundle:
    """A bundle in the store and in the cache."""
    store = open_remote(url, cache=cache)
    bundle = make_bundle(tmp_path)
    promote(store, bundle)
    return bundle


def operations(proxy: S3Proxy, run: Callable[[], object]) -> list[str]:
    proxy.requests.clear()
    run()
    return [request.operation for request in proxy.requests]


def test_cached_bundle_costs_one_listing(
    url: str, cache: Path, bundle: Bundle, proxy: S3Proxy
) -> None:
    store = open_remote(url, cache=cache)
    assert operations(proxy, lambda: store.bundle(bundle.digest)) == ["LIST"]
    cached = store.bundle(bundle.digest)
    assert cached.content == bundle.content
    assert cached.location == store.location(bundle_key(bundle.digest))


def alter_model(path: Path) -> None:
    (path / MODEL_FILE).write_bytes(b"other")


def alter_record(path: Path) -> None:
    (path / BUNDLE_FILE).write_bytes(b"{}")


def alter_origin(path: Path) -> None:
    (path / "origin.json").write_bytes(b"{}")


def replace_model_by_link(path: Path) -> None:
    (path / MODEL_FILE).unlink()
    (path / MODEL_FILE).symlink_to("/dev/zero")


@pytest.mark.parametrize(
    "damage",
    [alter_model, alter_record, alter_origin, replace_model_by_link, shutil.rmtree],
    ids=lambda damage: damage.__name__,
)
def test_damaged_copy_is_fetched_again(
    damage: Callable[[Path], None], url: str, cache: Path, bundle: Bundle, proxy: S3Proxy
) -> None:
    damage(cache / "bundles" / bundle.digest)
    store = open_remote(url, cache=cache)
    assert "GET" in operations(proxy, lambda: store.bundle(bundle.digest))
    assert store.bundle(bundle.digest).content == bundle.content
    assert operations(proxy, lambda: store.bundle(bundle.digest)) == ["LIST"]


def test_copy_of_an_altered_bundle_is_not_used(url: str, cache: Path, bundle: Bundle) -> None:
    store = open_remote(url, cache=cache)
    store._write(f"{bundle_key(bundle.digest)}/{MODEL_FILE}", b"altered")
    with pytest.raises(BundleError):
        store.bundle(bundle.digest)


def test_copy_of_a_bundle_without_its_record_is_not_used(
    url: str, cache: Path, bundle: Bundle
) -> None:
    store = open_remote(url, cache=cache)
    store._delete(f"{bundle_key(bundle.digest)}/{BUNDLE_FILE}")
    assert not store.has_bundle(bundle.digest)
    with pytest.raises(BundleError):
        store.bundle(bundle.digest)
    store.add_bundle(bundle)
    assert store.bundle(bundle.digest).content == bundle.content


def test_copy_from_another_store_is_not_used(
    url: str, cache: Path, bundle: Bundle, proxy: S3Proxy
) -> None:
    other = open_remote(f"{url}-2", cache=cache)
    with pytest.raises(BundleError):
        other.bundle(bundle.digest)
    other.add_bundle(bundle)
    assert "GET" in operations(proxy, lambda: other.bundle(bundle.digest))


def test_unusable_cache_changes_no_result(url: str, bundle: Bundle, tmp_path: Path) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file")
    store = open_remote(url, cache=occupied)
    assert store.bundle(bundle.digest).content == bundle.content
    assert store.require_champion().bundle == bundle.digest


@pytest.mark.slow
def test_cache_can_be_deleted_at_any_time(url: str, cache: Path, bundle: Bundle) -> None:
    stop = threading.Event()

    def delete_cache() -> None:
        while not stop.is_set():
            shutil.rmtree(cache, ignore_errors=True)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(delete_cache)
        try:
            for _ in range(10):
                store = open_remote(url, cache=cache)
                assert store.bundle(bundle.digest).content == bundle.content
                assert store.require_champion().bundle == bundle.digest
        finally:
            stop.set()


def test_least_recently_used_copy_is_removed(
    url: str, cache: Path, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_remote(url, cache=cache)
    second = make_bundle(tmp_path, base=2.0)
    store.add_bundle(second)
    store.bundle(second.digest)
    for age, digest in ((10, bundle.digest), (20, second.digest)):
        path = cache / "bundles" / digest
        os.utime(path, (path.stat().st_atime - age,) * 2)
    size = sum(file.stat().st_size for file in (cache / "bundles" / second.digest).iterdir())
    monkeypatch.setattr(bundle_cache, "MAX_CACHE_BYTES", int(2.5 * size))
    third = make_bundle(tmp_path, base=3.0)
    store.add_bundle(third)
    store.bundle(third.digest)
    assert {path.name for path in (cache / "bundles").iterdir()} == {bundle.digest, third.digest}


def test_cached_history_costs_one_listing(
    url: str, cache: Path, bundle: Bundle, proxy: S3Proxy
) -> None:
    store = open_remote(url, cache=cache)
    assert operations(proxy, store.history) == ["LIST"]
    promote(store, bundle, action=Action.ROLLBACK)
    again = open_remote(url, cache=cache)
    assert operations(proxy, again.history) == ["LIST"]
    assert [entry.number for entry in again.history()] == [1, 2]
    without_cache = open_remote(url)
    assert operations(proxy, without_cache.history) == ["LIST", "GET", "GET"]
    assert without_cache.history() == again.history()


@pytest.mark.parametrize("content", [b"", b"\0" * 100, None], ids=["empty", "noise", "altered"])
def test_damaged_cache_of_the_history_is_read_again(
    content: bytes | None, url: str, cache: Path, bundle: Bundle
) -> None:
    (path,) = (cache / "history").iterdir()
    altered = path.read_bytes().replace(b"a test", b"a TEST")
    path.write_bytes(altered if content is None else content)
    (entry,) = open_remote(url, cache=cache).history()
    assert (entry.bundle, entry.reason) == (bundle.digest, "a test")


@pytest.mark.slow
def test_long_history_is_paged(url: str, cache: Path, bundle: Bundle, proxy: S3Proxy) -> None:
    store = open_remote(url, cache=cache)
    (first,) = store.history()
    entries = {entry_key(1): first.to_json()}
    for number in range(2, 1002):
        previous = hashlib.sha256(entries[entry_key(number - 1)]).hexdigest()
        entry = msgspec.structs.replace(first, number=number, previous=previous)
        entries[entry_key(number)] = entry.to_json()
    with ThreadPoolExecutor(8) as writers:
        list(writers.map(store._write, entries.keys(), entries.values()))
    assert len(open_remote(url, cache=cache).history()) == len(entries)
    warm = open_remote(url, cache=cache)
    assert operations(proxy, lambda: promote(warm, bundle)) == [
        *("HEAD", "LIST", "LIST"),
        *("LIST", "LIST", "PUT"),
    ]
