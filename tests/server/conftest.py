from pathlib import Path

import pytest

from housectl.store import ChampionStore


@pytest.fixture
def store(tmp_path: Path) -> ChampionStore:
    return ChampionStore(tmp_path / "store")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output.txt"
