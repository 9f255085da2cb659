"""The cluster of these tests: the one that KUBECONFIG names, else one that a test bed brings up."""

import os
import secrets
from collections.abc import Iterator, Mapping

import pytest

from housectl.backends.katib.backend import KatibBackend
from housectl.contract.inputs import Inputs
from tests.cluster.backend import katib_backend
from tests.cluster.nodes import bed, is_bed
from tests.cluster.setup import NoClusterError, bring_up, prepared

_NEEDS = "HOUSECTL_TESTS_NEED"
_LONGEST = {"test_docs", "test_katib", "test_kills", "test_way"}


def pytest_configure(config: pytest.Config) -> None:
    """Bring up the cluster, with the images of this checkout on its nodes, for all processes."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    try:
        bring_up()
    except NoClusterError as error:
        os.environ[_NEEDS] = str(error)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that take longest, so that none of them is left over at the end."""
    items.sort(key=lambda item: item.path.stem not in _LONGEST)


@pytest.fixture(scope="session", autouse=True)
def cluster() -> None:
    """Skip where there is no cluster, saying what is needed."""
    if _NEEDS in os.environ:
        pytest.skip(os.environ[_NEEDS])


@pytest.fixture(scope="session")
def image_store() -> Mapping[str, str]:
    """The environment in which engines find the images of a test bed; skip where there is none."""
    if not is_bed():
        pytest.skip(
            "This needs the images of a test bed: leave out KUBECONFIG, and let TESTBED name a "
            "directory with the programs `up` and `image`."
        )
    return {
        "CONTAINERS_CONF": str(bed() / "cache" / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(bed() / "cache" / "storage.conf"),
    }


@pytest.fixture(scope="session")
def namespace() -> Iterator[str]:
    """A namespace of these tests' own, prepared as `housectl cluster init` does."""
    with prepared(f"housectl-tests-{secrets.token_hex(3)}") as name:
        yield name


@pytest.fixture
def backend(namespace: str, inputs: Inputs) -> Iterator[KatibBackend]:
    """The Katib backend; what a test has begun with it is deleted afterwards."""
    backend = katib_backend(namespace, inputs.path.parent)
    yield backend
    for handle in backend.handles():
        backend.delete(handle)
