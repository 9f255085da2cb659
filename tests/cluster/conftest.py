"""Fixtures of the tests that need a cluster with Katib."""

import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from housectl.backends.katib.backend import KatibBackend
from housectl.contract.inputs import Inputs
from tests.cluster.backend import katib_backend
from tools.dev_cluster.kubectl import bed_directory, has_test_bed, kubectl
from tools.dev_cluster.setup import NoClusterError, prepared_namespace, start_cluster
from tools.s3_server import S3Server, s3_server

_DIRECTORY = Path(__file__).parent
_SKIP_REASON = "HOUSECTL_TESTS_SKIP_REASON"
_SLOWEST_MODULES = {
    *("test_docs", "test_doctor", "test_end_to_end", "test_katib", "test_kills"),
    *("test_manual_faults", "test_one_list", "test_schedule", "test_stop"),
}


def pytest_configure(config: pytest.Config) -> None:
    """Start the cluster once for all worker processes, with the images of this checkout."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    try:
        start_cluster()
    except NoClusterError as error:
        os.environ[_SKIP_REASON] = str(error)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests, and run the slowest modules first for an even load of the workers."""
    for item in items:
        if item.path.is_relative_to(_DIRECTORY):
            item.add_marker("cluster")
    items.sort(key=lambda item: item.path.stem not in _SLOWEST_MODULES)


@pytest.fixture(scope="session", autouse=True)
def cluster() -> None:
    """Skip all tests if there is no cluster."""
    if _SKIP_REASON in os.environ:
        pytest.skip(os.environ[_SKIP_REASON])


@pytest.fixture(scope="session")
def image_store() -> Mapping[str, str]:
    """Variables with which container engines find the images of a test bed."""
    if not has_test_bed():
        pytest.skip(
            "The images of a test bed are missing: unset KUBECONFIG, and set TESTBED to a "
            "directory with the programs `up` and `image`."
        )
    return {
        "CONTAINERS_CONF": str(bed_directory() / "cache" / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(bed_directory() / "cache" / "storage.conf"),
    }


@pytest.fixture(scope="session")
def node_address() -> str:
    """The address of the test bed's node, which is this machine; pods can reach it."""
    if not has_test_bed():
        pytest.skip("Pods of this cluster may be unable to reach this machine.")
    return kubectl(
        "get",
        "nodes",
        """--output=jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}""",
    )


@pytest.fixture(scope="session")
def s3_for_pods(node_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that pods and containers can reach, too."""
    with s3_server(tmp_path_factory.mktemp("s3"), host=node_address) as server:
        yield server


@pytest.fixture(scope="session")
def namespace() -> Iterator[str]:
    """A new namespace, prepared by `housectl cluster init`."""
    with prepared_namespace(f"housectl-tests-{secrets.token_hex(3)}") as name:
        yield name


@pytest.fixture
def backend(namespace: str, inputs: Inputs) -> Iterator[KatibBackend]:
    """A Katib backend; its experiments are deleted after the test."""
    backend = katib_backend(namespace, inputs.path.parent)
    yield backend
    for handle in backend.handles():
        backend.delete(handle)
