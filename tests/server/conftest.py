from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from housectl.store.local import LocalStore
from tests.server.browser import running_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output.txt"


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Chromium, for the tests of a module."""
    with running_browser() as browser:
        yield browser
