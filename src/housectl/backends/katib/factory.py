"""The Katib backend of a project."""

from dataclasses import replace

from housectl.backends.katib.backend import KatibBackend
from housectl.backends.katib.katib_client import katib_client
from housectl.project.config import ProjectConfig
from housectl.pushed_images import ImageKind, local_image, pushed_image
from housectl.workspace import Workspace


def create_backend(project: ProjectConfig, workspace: Workspace) -> KatibBackend:
    """Return the backend for the cluster that a project's `katib:` describes."""
    settings = project.katib
    pushed = pushed_image(workspace.images, ImageKind.TRAINER)
    image = settings.image or pushed or local_image(ImageKind.TRAINER)
    return KatibBackend(
        katib_client(settings.context, settings.namespace),
        settings=replace(settings, image=image),
        inputs=workspace.inputs,
    )
