"""The contract of a store over S3 servers, and over the clouds that a variable names."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.store.address import StoreAddress
from housectl.store.base import ChampionStore
from housectl.store.factory import open_store
from tests.store.contract import StoreContract
from tools.s3_server import S3Server


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def new_store(server: S3Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> ChampionStore:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return open_store(StoreAddress.parse(f"s3://{server.new_bucket()}/a/b"), cache=cache)


class TestStoreOnVersitygw(StoreContract):
    @pytest.fixture
    def store(self, s3: S3Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> ChampionStore:
        return new_store(s3, cache, monkeypatch)


@pytest.mark.slow
class TestStoreOnMoto(StoreContract):
    @pytest.fixture
    def store(self, moto: S3Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> ChampionStore:
        return new_store(moto, cache, monkeypatch)


class CloudContract(StoreContract):
    """A subclass names the variable with the address of a store for tests."""

    variable: str

    @pytest.fixture
    def store(self, cache: Path) -> Iterator[ChampionStore]:
        if not (address := os.environ.get(self.variable)):
            pytest.skip(f"{self.variable} does not name a store")
        store = open_store(StoreAddress.parse(f"{address}/{uuid.uuid4()}"), cache=cache)
        yield store
        for file in store._files():
            store._delete(file.key)


class TestStoreOnGoogleCloud(CloudContract):
    variable = "HOUSECTL_TEST_GCS_STORE"


class TestStoreOnAzure(CloudContract):
    variable = "HOUSECTL_TEST_AZURE_STORE"
