"""The images of this checkout on the nodes of the cluster."""

import os
import shutil
import subprocess
import sys

from housectl.pushed_images import ImageKind, local_image
from tools.project_directory import ROOT

_TAG = "dev"
TRAINER_IMAGE = local_image(ImageKind.TRAINER, tag=_TAG)
SERVER_IMAGE = local_image(ImageKind.SERVER, tag=_TAG)


def build_images(builder: str | None) -> None:
    """Build the images and put them on the nodes; with IMAGES=there the nodes have them."""
    if os.environ.get("IMAGES") == "there":
        return
    options = ["--builder", builder] if builder else []
    command = [sys.executable, "-m", "tools.build_images", "--tag", _TAG, *options]
    subprocess.run(command, cwd=ROOT, check=True)
    if builder is None and shutil.which("minikube"):
        for image in (TRAINER_IMAGE, SERVER_IMAGE):
            subprocess.run(["minikube", "image", "load", image], check=True)  # noqa: S607
