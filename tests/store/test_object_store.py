"""The contract of a store over S3 servers, and in the cloud that a variable names."""

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


class TestStoreInCloud(StoreContract):
    # No test server knows the protocols of Google and Azure: these tests need an account, and run
    # only where the variable has an address such as gs://BUCKET/FOLDER.
    __test__ = "HOUSECTL_TEST_CLOUD_STORE" in os.environ

    @pytest.fixture
    def store(self, cache: Path) -> Iterator[ChampionStore]:
        address = os.environ["HOUSECTL_TEST_CLOUD_STORE"]
        store = open_remote(f"{address}/{uuid.uuid4()}", cache=cache)
        yield store
        for file in store._files():
            store._delete(file.key)
