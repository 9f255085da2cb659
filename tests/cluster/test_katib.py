"""The contract on the Katib backend."""

from collections.abc import Iterator

import pytest

from housectl.backends.base import Backend
from housectl.contract.inputs import Inputs
from tests.backends.conftest import ended_search, inputs  # noqa: F401  # fixtures of the contract
from tests.backends.contract import BackendContract
from tests.cluster.backend import katib_backend


@pytest.fixture(scope="module")
def backend(namespace: str, inputs: Inputs) -> Iterator[Backend]:  # noqa: F811
    backend = katib_backend(namespace, inputs.path.parent)
    yield backend
    for handle in backend.handles():
        backend.delete(handle)


class TestKatibBackend(BackendContract):
    """All tests of the contract."""
