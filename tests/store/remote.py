"""Stores on S3 servers, for tests."""

from pathlib import Path

import pytest

from housectl.store.address import StoreAddress
from housectl.store.factory import open_store
from housectl.store.objects.object_store import ObjectStore
from tools.s3_server import S3Server


def use_server(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clients of this process use a server."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)


def open_remote(url: str, *, cache: Path | None = None) -> ObjectStore:
    store = open_store(StoreAddress.parse(url), cache=cache)
    assert isinstance(store, ObjectStore)
    return store
