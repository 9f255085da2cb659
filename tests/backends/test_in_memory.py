"""The contract on the in-memory backend: a backend needs nothing that only local or Katib has."""

import pytest

from housectl.backends.base import Backend
from tests.backends.contract import BackendContract
from tests.backends.in_memory.backend import InMemoryBackend

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def backend() -> Backend:
    return InMemoryBackend()


class TestInMemoryBackend(BackendContract):
    """All of the contract."""
