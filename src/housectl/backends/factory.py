"""Where experiments and tasks run: one table of backends, each imported when it is asked for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from housectl.backends.base import Backend
    from housectl.backends.katib.backend import KatibBackend
    from housectl.project.config import ProjectConfig
    from housectl.workspace import Workspace


def _local(_: "ProjectConfig", workspace: "Workspace") -> "Backend":
    from housectl.backends.local.backend import LocalBackend

    return LocalBackend(workspace.runs)


def katib_backend(project: "ProjectConfig", workspace: "Workspace") -> "KatibBackend":
    """Return the backend for a cluster with Katib, whatever the project names."""
    from housectl.backends.katib.backend import KatibBackend
    from housectl.backends.katib.plan.records import KatibSettings
    from housectl.kube.client import Kube
    from housectl.pushed_images import ImageKind, local_image, pushed_image

    said = project.katib
    pushed = pushed_image(workspace.images, ImageKind.TRAINER)
    return KatibBackend(
        Kube(said.context, said.namespace),
        settings=KatibSettings(
            namespace=said.namespace,
            pvc=said.pvc,
            algorithm=said.algorithm,
            cpu=said.cpu,
            memory=said.memory,
        ),
        image=said.image or pushed or local_image(ImageKind.TRAINER),
        inputs=workspace.inputs,
    )


BACKENDS: "dict[str, Callable[[ProjectConfig, Workspace], Backend]]" = {
    "local": _local,
    "katib": katib_backend,
}


def create_backend(project: "ProjectConfig", workspace: "Workspace") -> "Backend":
    """Return the backend that a project names."""
    return BACKENDS[project.backend](project, workspace)
