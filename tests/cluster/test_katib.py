"""The Katib backend does what every backend must."""

from collections.abc import Iterator

import pytest

from housectl.backends.base import Backend
from housectl.backends.katib.backend import KatibBackend
from housectl.backends.katib.records import KatibSettings
from housectl.backends.kube.client import Kube
from housectl.contract.inputs import Inputs
from tests.backends.conftest import ended, inputs  # noqa: F401  # fixtures of the contract
from tests.backends.contract import BackendContract
from tests.cluster.nodes import TRAINER


@pytest.fixture(scope="module")
def backend(namespace: str, inputs: Inputs) -> Iterator[Backend]:  # noqa: F811
    settings = KatibSettings(
        namespace=namespace,
        claim="model-storage",
        algorithm="bayesianoptimization",
        cpu="100m",
        memory=256 * 2**20,
    )
    backend = KatibBackend(
        Kube(None, namespace), settings=settings, image=TRAINER, inputs=inputs.path.parent
    )
    yield backend
    for handle in backend.handles():
        backend.delete(handle)


class TestKatibBackend(BackendContract):
    """All of the contract."""
