"""The contract of a store over S3 servers, and over the clouds that a variable names."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.store.base import ChampionStore
from tests.store.contract import StoreContract
from tests.store.remote import open_remote, use_server
from tools.s3_server import S3Server


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


class TestStoreOnVersitygw(StoreContract):
    @pytest.fixture
    def store(self, s3: S3Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> ChampionStore:
        use_server(s3, monkeypatch)
        return open_remote(f"s3://{s3.new_bucket()}/a/b", cache=cache)


@pytest.mark.slow
class TestStoreOnMoto(StoreContract):
    @pytest.fixture
    def store(self, moto: S3Server, monkeypatch: pytest.MonkeyPatch) -> ChampionStore:
        use_server(moto, monkeypatch)
        return open_remote(f"s3://{moto.new_bucket()}")


class CloudContract(StoreContract):
    """A subclass names the variable with the address of a store for tests."""

    variable: str

    @pytest.fixture
    def store(self, cache: Path) -> Iterator[ChampionStore]:
        if not (address := os.environ.get(self.variable)):
            pytest.skip(f"{self.variable} does not name a store")
        store = open_remote(f"{address}/{uuid.uuid4()}", cache=cache)
        yield store
        for file in store._files():
            store._delete(file.key)


class TestStoreOnGoogleCloud(CloudContract):
    variable = "HOUSECTL_TEST_GCS_STORE"


class TestStoreOnAzure(CloudContract):
    variable = "HOUSECTL_TEST_AZURE_STORE"
