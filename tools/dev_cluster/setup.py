"""Start of the cluster: the one that KUBECONFIG names, otherwise the one of a test bed."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.dev_cluster.images import build_images
from tools.dev_cluster.kubectl import has_test_bed, kubectl, kubectl_environment
from tools.project_directory import HOUSECTL, ROOT

TEST_BED = Path(os.environ.get("TESTBED", ROOT.parent / "shared" / "testbed"))


class NoClusterError(Exception):
    """There is neither a cluster nor a test bed."""

    def __init__(self) -> None:
        super().__init__(
            "A cluster with Katib is missing: set KUBECONFIG to its file, or TESTBED to a "
            "directory with the programs `up` and `image`."
        )


def start_cluster() -> None:
    """Set KUBECONFIG to a running cluster whose nodes have the images of this checkout.

    Raises:
        NoClusterError: There is neither a cluster nor a test bed.
    """
    if "KUBECONFIG" in os.environ:
        build_images(image_builder())
        return
    if not (TEST_BED / "up").exists():
        raise NoClusterError
    output = subprocess.run([TEST_BED / "up"], stdout=subprocess.PIPE, text=True, check=True).stdout
    os.environ["KUBECONFIG"] = output.rpartition("KUBECONFIG=")[2].strip()
    build_images(image_builder())


def image_builder() -> str | None:
    """Return the builder command for the cluster's images; None for an installed engine."""
    return os.environ.get("BUILDER", str(TEST_BED / "image") if has_test_bed() else None)


@contextmanager
def prepared_namespace(namespace: str) -> Iterator[str]:
    """Prepare a namespace with `housectl cluster init`, and delete it at the end."""
    subprocess.run(
        [HOUSECTL, "cluster", "init", "--namespace", namespace],
        cwd=ROOT,
        env=os.environ | kubectl_environment(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    try:
        yield namespace
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false")
        kubectl("delete", "clusterrolebinding", f"housectl-reader-{namespace}")
