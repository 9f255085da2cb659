"""The cluster of these tests: the one that KUBECONFIG names, else one that a test bed brings up."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.nodes import SERVER, TRAINER, kubectl, with_kubectl
from tests.projects import HOUSECTL

ROOT = Path(__file__).parents[2]
TESTBED = Path(os.environ.get("TESTBED", ROOT.parent / "shared" / "testbed"))
NEEDS = (
    "These tests need a cluster with Katib: let KUBECONFIG name its file, or TESTBED a directory "
    "with the programs `up` and `image`."
)


@pytest.fixture(scope="session", autouse=True)
def cluster() -> None:
    """Bring up the cluster, with the images of this checkout on its nodes."""
    if "KUBECONFIG" in os.environ:
        _images(os.environ.get("BUILDER"))
        return
    if not (TESTBED / "up").exists():
        pytest.skip(NEEDS)
    said = subprocess.run([TESTBED / "up"], stdout=subprocess.PIPE, text=True, check=True).stdout
    os.environ["KUBECONFIG"] = said.rpartition("KUBECONFIG=")[2].strip()
    _images(str(TESTBED / "image"))


def _images(builder: str | None) -> None:
    """Build the images, unless IMAGES=there says that the nodes have them."""
    if os.environ.get("IMAGES") == "there":
        return
    named = ["--builder", builder] if builder else []
    subprocess.run([sys.executable, "-m", "images", "--tag", "dev", *named], cwd=ROOT, check=True)
    if builder is None and shutil.which("minikube"):
        for image in (TRAINER, SERVER):
            subprocess.run(["minikube", "image", "load", image], check=True)


@pytest.fixture(scope="session")
def namespace(cluster: None) -> Iterator[str]:
    """A namespace of these tests' own, prepared as `housectl cluster init` does."""
    name = "housectl-tests"
    subprocess.run(
        [HOUSECTL, "cluster", "init", "--namespace", name],
        cwd=ROOT,
        env=os.environ | with_kubectl(),
        check=True,
    )
    yield name
    kubectl("delete", "namespace", name, "--wait=false")
