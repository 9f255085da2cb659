"""The cluster of these tests: the one that KUBECONFIG names, else one that a test bed brings up."""

import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.bringing_up import NoClusterError, bring_up, prepared


@pytest.fixture(scope="session", autouse=True)
def cluster() -> None:
    """Bring up the cluster, with the images of this checkout on its nodes."""
    try:
        bring_up()
    except NoClusterError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def namespace() -> Iterator[str]:
    """A namespace of these tests' own, prepared as `housectl cluster init` does."""
    with prepared(f"housectl-tests-{secrets.token_hex(3)}") as name:
        yield name
