"""The Katib backend of a project."""

from housectl.backends.katib.backend import KatibBackend
from housectl.backends.katib.katib_client import katib_client
from housectl.backends.katib.plan.records import KatibSettings
from housectl.project.config import ProjectConfig
from housectl.pushed_images import ImageKind, local_image, pushed_image
from housectl.workspace import Workspace


def create_backend(project: ProjectConfig, workspace: Workspace) -> KatibBackend:
    """Return the backend for the cluster that a project's `katib:` describes."""
    fields = project.katib
    pushed = pushed_image(workspace.images, ImageKind.TRAINER)
    return KatibBackend(
        katib_client(fields.context, fields.namespace),
        settings=KatibSettings(
            namespace=fields.namespace,
            pvc=fields.pvc,
            algorithm=fields.algorithm,
            cpu=fields.cpu,
            memory=fields.memory,
        ),
        image=fields.image or pushed or local_image(ImageKind.TRAINER),
        inputs=workspace.inputs,
    )
