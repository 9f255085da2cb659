"""The images of this checkout on the nodes of the cluster."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from housectl.pushed_images import ImageKind, local_image
from tools.project_directory import ROOT

_TAG = "dev"
TRAINER_IMAGE = local_image(ImageKind.TRAINER, tag=_TAG)
SERVER_IMAGE = local_image(ImageKind.SERVER, tag=_TAG)
CLI_IMAGE = local_image(ImageKind.CLI, tag=_TAG)
SUGGESTION_IMAGE = local_image(ImageKind.SUGGESTION, tag=_TAG)


def build_images(builder: str | None) -> None:
    """Build the images and put them on the nodes; with IMAGES=there the nodes have them."""
    if os.environ.get("IMAGES") != "there":
        build_images_of(ROOT, [*ImageKind], python=Path(sys.executable), tag=_TAG, builder=builder)


def build_images_of(
    root: Path, kinds: Sequence[ImageKind], *, python: Path, tag: str, builder: str | None
) -> None:
    """Build images of a source tree and put them on the nodes.

    Args:
        root: The source tree.
        kinds: Which images.
        python: The interpreter that imports the source tree.
        tag: Tag of the images.
        builder: Builder command; None for an installed container engine.
    """
    options = ["--builder", builder] if builder else []
    command = [str(python), "-m", "tools.build_images", "--tag", tag, *options, "--only", *kinds]
    subprocess.run(command, cwd=root, check=True)
    if builder is None and shutil.which("minikube"):
        for kind in kinds:
            image = local_image(kind, tag=tag)
            subprocess.run(["minikube", "image", "load", image], check=True)  # noqa: S607
