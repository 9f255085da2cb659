import os
import socket
import time
from pathlib import Path

import pytest

from housectl.contract.temp_files import STALE_SECONDS, TEMP_PREFIX
from housectl.errors import LocalEnvironmentError
from housectl.store.layout import BUNDLES, CHALLENGERS, entry_key
from housectl.store.local import LocalStore
from housectl.store.storage import FileKind
from tests.server.bundles import make_bundle, promote
from tests.store.contract import StoreContract, evidence_of


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "a store")


class TestLocalStore(StoreContract):
    pass


def test_reads_create_nothing(store: LocalStore) -> None:
    store.history()
    store.challenger("tuned")
    assert not store.path.exists()


def test_temporary_files_are_ignored(store: LocalStore, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    challenger = store.add_challenger("tuned", bundle, evidence_of(bundle))
    (store.path / BUNDLES / f"{TEMP_PREFIX}{bundle.digest}-00000000").mkdir()
    (store.path / CHALLENGERS / f"{TEMP_PREFIX}tuned.json-00000000").write_bytes(b"half")
    assert store.newest_challenger() == challenger
    assert store.bundle(bundle.digest).content == bundle.content


def test_stale_temporary_files_are_removed(store: LocalStore, tmp_path: Path) -> None:
    stale, fresh = (store.path / BUNDLES / f"{TEMP_PREFIX}{name}" for name in ("stale", "fresh"))
    for directory in (stale, fresh):
        directory.mkdir(parents=True)
    long_ago = time.time() - 2 * STALE_SECONDS
    os.utime(stale, (long_ago, long_ago))
    bundle = make_bundle(tmp_path)
    store.add_challenger("tuned", bundle, evidence_of(bundle))
    assert not stale.exists()
    assert fresh.exists()


def test_entry_is_linked_and_leaves_no_temporary_file(store: LocalStore, tmp_path: Path) -> None:
    promote(store, make_bundle(tmp_path))
    entry = store.path / entry_key(1)
    assert entry.stat().st_nlink == 1
    assert list(entry.parent.iterdir()) == [entry]


@pytest.mark.parametrize(("variable", "author"), [("caf\udce9", "caf?"), ("", "54321")])
def test_author_without_printable_name_is_recorded(
    store: LocalStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    author: str,
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, variable)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    promote(store, make_bundle(tmp_path))
    assert store.require_champion().by == f"{author}@{socket.gethostname()}"


def test_unusual_files_are_listed_with_their_kind(store: LocalStore) -> None:
    folder = store.path / BUNDLES / "a"
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "cycle").symlink_to(store.path)
    os.mkfifo(folder / "fifo")
    (store.path / "empty").mkdir()
    (store.path / f"{TEMP_PREFIX}temporary").write_bytes(b"half")
    assert {file.key: file.kind for file in store._files()} == {
        f"{BUNDLES}/a/deep": FileKind.DIRECTORY,
        f"{BUNDLES}/a/cycle": FileKind.LINK,
        f"{BUNDLES}/a/fifo": FileKind.SPECIAL,
        "empty": FileKind.EMPTY_DIRECTORY,
    }


def test_unreadable_store_is_reported(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / ("x" * 300))
    with pytest.raises(LocalEnvironmentError) as error:
        store.champion()
    assert str(store.path) in error.value.message
    assert "ls -ld" in error.value.hint
