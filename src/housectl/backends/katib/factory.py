"""The Katib backend of a project."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from housectl.image_references import digest_in, repository_of
from housectl.project.config import ProjectConfig
from housectl.pushed_images import ImageKind, local_image, pushed_image
from housectl.workspace import Workspace

if TYPE_CHECKING:
    from housectl.backends.katib.backend import KatibBackend


def create_backend(load: Callable[[], ProjectConfig], workspace: Workspace) -> "KatibBackend":
    """Return the backend for the cluster that a project's `katib:` describes."""
    from housectl.backends.katib.backend import KatibBackend
    from housectl.backends.katib.katib_client import katib_client

    project = load()
    settings = project.katib
    return KatibBackend(
        katib_client(settings.context, settings.namespace),
        settings=replace(settings, image=_image(project, workspace)),
        inputs=workspace.inputs,
    )


def search_settings(project: ProjectConfig, workspace: Workspace) -> Mapping[str, str]:
    """Return the algorithm and the image, which has the libraries.

    Of an image by digest, only the digest matters: several registries can have the same image.
    """
    name, _, digest = _image(project, workspace).partition("@")
    return {"algorithm": project.katib.algorithm, "image": digest or name}


def suggestion_image(project: ProjectConfig, workspace: Workspace) -> str | None:
    """Return the image of the suggestion service; None if no image was pushed.

    Beside a trainer's image with a tag, the registry has the service's image with the same tag.
    """
    if pushed := pushed_image(workspace.images, ImageKind.SUGGESTION):
        return pushed
    trainer, suggestion = (f"housectl-{kind}" for kind in (ImageKind.TRAINER, ImageKind.SUGGESTION))
    image = project.katib.image or ""
    repository = repository_of(image)
    if digest_in(image) or not repository.endswith(f"/{trainer}"):
        return None
    return repository.removesuffix(trainer) + suggestion + image.removeprefix(repository)


def _image(project: ProjectConfig, workspace: Workspace) -> str:
    pushed = pushed_image(workspace.images, ImageKind.TRAINER)
    return project.katib.image or pushed or local_image(ImageKind.TRAINER)
