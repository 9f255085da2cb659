"""Bringing up a cluster: the one that KUBECONFIG names, else one that a test bed starts."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.nodes import SERVER, TRAINER, kubectl, with_kubectl
from tests.projects import HOUSECTL, ROOT

TESTBED = Path(os.environ.get("TESTBED", ROOT.parent / "shared" / "testbed"))


class NoClusterError(Exception):
    """There is neither a cluster nor a test bed."""

    def __init__(self) -> None:
        super().__init__(
            "This needs a cluster with Katib: let KUBECONFIG name its file, or TESTBED a directory "
            "with the programs `up` and `image`."
        )


def bring_up() -> None:
    """Let KUBECONFIG name a cluster that has the images of this checkout on its nodes.

    Raises:
        NoClusterError: There is none.
    """
    if "KUBECONFIG" in os.environ:
        _images(os.environ.get("BUILDER"))
        return
    if not (TESTBED / "up").exists():
        raise NoClusterError
    said = subprocess.run([TESTBED / "up"], stdout=subprocess.PIPE, text=True, check=True).stdout
    os.environ["KUBECONFIG"] = said.rpartition("KUBECONFIG=")[2].strip()
    _images(str(TESTBED / "image"))


@contextmanager
def prepared(namespace: str) -> Iterator[str]:
    """Prepare a namespace as `housectl cluster init` does, and delete it in the end."""
    subprocess.run(
        [HOUSECTL, "cluster", "init", "--namespace", namespace],
        cwd=ROOT,
        env=os.environ | with_kubectl(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    try:
        yield namespace
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false")
        kubectl("delete", "clusterrolebinding", f"housectl-reader-{namespace}")


def _images(builder: str | None) -> None:
    """Build the images, unless IMAGES=there says that the nodes have them."""
    if os.environ.get("IMAGES") == "there":
        return
    named = ["--builder", builder] if builder else []
    subprocess.run(
        [sys.executable, "-m", "tools.build_images", "--tag", "dev", *named], cwd=ROOT, check=True
    )
    if builder is None and shutil.which("minikube"):
        for image in (TRAINER, SERVER):
            subprocess.run(["minikube", "image", "load", image], check=True)
